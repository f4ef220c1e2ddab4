(() => {
  'use strict';
  // Examples: filter by user and words, ten at a time.
  const page = 10;
  const form = document.getElementById('filter');
  if (form) {
    const cards = [...document.querySelectorAll('#cards > .card')];
    const user = document.getElementById('by-user');
    const words = document.getElementById('by-words');
    const found = document.getElementById('found');
    const more = document.getElementById('more');
    let limit = page;
    const show = () => {
      const needle = words.value.trim().toLowerCase();
      const hits = cards.filter(card => (user.value === '' || card.dataset.user === user.value)
        && (needle === '' || card.textContent.toLowerCase().includes(needle)));
      cards.forEach(card => { card.hidden = true; });
      hits.slice(0, limit).forEach(card => { card.hidden = false; });
      found.textContent = hits.length === 0 ? 'nothing found' : `${Math.min(limit, hits.length)} of ${hits.length} shown`;
      more.hidden = hits.length <= limit;
    };
    const restart = () => { limit = page; show(); };
    form.addEventListener('submit', event => event.preventDefault());
    user.addEventListener('change', restart);
    words.addEventListener('input', restart);
    more.addEventListener('click', () => { limit += 5 * page; show(); });
    form.hidden = cards.length < 2;
    show();
  }

  // Token views: what the hover title says is also told below, on tap and with the arrow keys.
  for (const line of document.querySelectorAll('.tokens')) {
    const tell = line.parentElement.querySelector('.tell');
    const tokens = [...line.querySelectorAll('.tk')];
    let at = -1;
    const pick = index => {
      if (index < 0 || index >= tokens.length) return;
      if (at >= 0) tokens[at].classList.remove('at');
      at = index;
      tokens[at].classList.add('at');
      tell.textContent = tokens[at].title;
    };
    line.addEventListener('click', event => pick(tokens.indexOf(event.target.closest('.tk'))));
    line.addEventListener('mouseover', event => { const token = event.target.closest('.tk'); if (token) tell.textContent = token.title; });
    line.addEventListener('mouseleave', () => { tell.textContent = at >= 0 ? tokens[at].title : ''; });
    line.addEventListener('keydown', event => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      pick(at + (getComputedStyle(line).direction === 'rtl' ? -step : step));
    });
  }

  // Navigation: mark the section being read.
  const links = new Map([...document.querySelectorAll('nav a')].map(link => [link.hash.slice(1), link]));
  const watch = new IntersectionObserver(entries => {
    for (const entry of entries) {
      if (!entry.isIntersecting || !links.has(entry.target.id)) continue;
      links.forEach(link => link.removeAttribute('aria-current'));
      links.get(entry.target.id).setAttribute('aria-current', 'true');
    }
  }, { rootMargin: '-10% 0px -80% 0px' });
  document.querySelectorAll('section').forEach(section => watch.observe(section));
})();
