// The card beside a token: how likely it was, and what else could have stood there.
import { byId, create, tokenNodes } from "./dom.js";
import { levelOf, percent, signed } from "./pieces.js";

const SHOW_MS = 60;
const HIDE_MS = 200;
const GAP = 8;
const MOST_TOKENS = 4;

export class Card {
    #element = byId("card");
    #timer = 0;
    #isPinned = false;

    constructor() {
        this.#element.addEventListener("pointerenter", () => clearTimeout(this.#timer));
        this.#element.addEventListener("pointerleave", () => this.hideSoon());
        // A press on the card must not take the focus from the answer, which would close it.
        this.#element.addEventListener("pointerdown", event => event.preventDefault());
        addEventListener("scroll", () => this.#isPinned || this.hide(), { passive: true });
        addEventListener("keydown", event => event.key === "Escape" && this.hide());
    }

    /** Shows it for a piece that is pointed at, unless another is pinned. */
    showSoon(found) {
        if (!this.#isPinned) {
            clearTimeout(this.#timer);
            this.#timer = setTimeout(() => this.#show(found), SHOW_MS);
        }
    }

    /** Shows it for a piece that was chosen by key or tap, until another is or it is closed; it is read out. */
    pin(found) {
        clearTimeout(this.#timer);
        this.#isPinned = true;
        this.#element.setAttribute("role", "status");
        this.#show(found);
    }

    hideSoon() {
        if (!this.#isPinned) {
            clearTimeout(this.#timer);
            this.#timer = setTimeout(() => this.hide(), HIDE_MS);
        }
    }

    hide() {
        clearTimeout(this.#timer);
        this.#isPinned = false;
        this.#element.hidden = true;
        this.#element.removeAttribute("role");
    }

    #show({ piece, element }) {
        const tokens = piece.tokens.slice(0, MOST_TOKENS);
        this.#element.hidden = false;
        this.#element.replaceChildren(...tokens.map(token => createToken(token)));
        if (piece.tokens.length > tokens.length) {
            const more = `and ${piece.tokens.length - tokens.length} more tokens before this text`;
            this.#element.append(create("p", { class: "note", text: more }));
        }
        this.#place(element);
    }

    /** Below the piece, or above it where there is no room; a narrow screen has it at its foot (card.css). */
    #place(element) {
        const place = element.getClientRects()[0] ?? element.getBoundingClientRect();
        const { width, height } = this.#element.getBoundingClientRect();
        const left = Math.max(GAP, Math.min(place.left, document.documentElement.clientWidth - width - GAP));
        const below = place.bottom + GAP;
        const top = below + height > innerHeight && place.top - GAP - height > 0 ? place.top - GAP - height : below;
        this.#element.style.setProperty("--left", `${Math.round(left)}px`);
        this.#element.style.setProperty("--top", `${Math.round(top)}px`);
    }
}

function createToken(token) {
    const facts = create("p", { class: "chosen" }, create("code", {}, ...tokenNodes(token.text)));
    if (token.reward !== null) {
        facts.append(create("span", {
            class: "reward", "data-level": levelOf(token.reward), text: `implicit reward ${signed(token.reward)}`,
        }));
    }
    const part = create("section", {}, facts);
    if (token.isGated) {
        part.append(create("p", {
            class: "note",
            text: "Gate closed: without the user's adapter the model was sure, so there is no contrast here.",
        }));
    }
    part.append(createTable(token));
    return part;
}

/** The likeliest tokens, and the chosen one where it is none of them. */
function createTable(token) {
    const hasRewards = token.reward !== null;
    const isChosen = one => one.text === token.text && one.logprob === token.logprob;
    const rows = token.alternatives.some(isChosen) ? token.alternatives : [...token.alternatives, token];
    const columns = hasRewards ? ["token", "with adapter", "without"] : ["token", "probability"];
    const head = create("tr", {}, ...columns.map(text => create("th", { scope: "col", text })));
    return create("table", {}, create("thead", {}, head), create("tbody", {}, ...rows.map(one => {
        const name = create("th", { scope: "row" }, create("code", {}, ...tokenNodes(one.text)));
        const row = create("tr", { class: isChosen(one) ? "is-chosen" : null }, name);
        row.append(create("td", { text: percent(one.logprob) }));
        if (hasRewards) {
            const isKnown = one.reward !== null;
            row.append(create("td", { text: isKnown ? percent(one.logprob - one.reward) : "" }));
        }
        return row;
    })));
}
