// The choice of a user among however many there are: the server searches while one types.
import { byId, create, nameElement } from "./dom.js";

const SHOWN = 50;
const TYPING_MS = 120;

/** A combobox with a list, as WAI-ARIA describes it. */
export class Chooser {
    /** Called with the model that is chosen. */
    onChoice = () => {};

    #api;
    #input = byId("user");
    #list = byId("users");
    #note = byId("user-note");
    #found = [];
    #active = -1;
    #shownFor = null;
    #chosen = null;
    #timer = 0;
    #search = null;

    constructor(api) {
        this.#api = api;
        this.#input.addEventListener("input", () => this.#searchSoon());
        this.#input.addEventListener("focus", () => this.#input.select());
        this.#input.addEventListener("click", () => this.#open(""));
        this.#input.addEventListener("keydown", event => this.#onKey(event));
        this.#input.addEventListener("blur", () => this.#close());
        // A press on the list must not take the focus, which would close it.
        this.#list.addEventListener("pointerdown", event => event.preventDefault());
        this.#list.addEventListener("click", event => {
            const option = event.target.closest("[role=option]");
            if (option !== null) {
                this.#choose(this.#found[Number(option.dataset.index)]);
            }
        });
    }

    get chosen() {
        return this.#chosen;
    }

    /** Chooses the first user there is, if none is chosen; somebody who is typing a name is not disturbed. */
    async start() {
        const { data: [first] } = await this.#api.findUsers("", 1);
        if (this.#chosen !== null) {
            return;
        }
        if (first === undefined) {
            this.#note.textContent = "There is no user whom you may ask.";
        } else if (document.activeElement === this.#input) {
            this.#chosen = first;
            this.onChoice(first);
        } else {
            this.#choose(first);
        }
    }

    #searchSoon() {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#open(this.#input.value.trim()), TYPING_MS);
    }

    async #open(search) {
        this.#search?.abort();
        const searching = this.#search = new AbortController();
        try {
            const { data, has_more: hasMore } = await this.#api.findUsers(search, SHOWN, searching.signal);
            if (document.activeElement === this.#input) {
                this.#show(data, hasMore, search);
            }
        } catch (error) {
            if (error.name !== "AbortError") {
                this.#note.textContent = error.describe();
            }
        }
    }

    #show(found, hasMore, search) {
        this.#found = found;
        this.#shownFor = search;
        this.#list.replaceChildren(...found.map((model, index) => this.#createOption(model, index)));
        this.#list.hidden = found.length === 0;
        this.#input.setAttribute("aria-expanded", String(found.length > 0));
        this.#note.textContent = found.length === 0 ? "No user has such a name."
            : hasMore ? `The first ${found.length}; type to find others.`
            : `${found.length} ${found.length === 1 ? "user" : "users"}.`;
        this.#activate(search === "" ? found.findIndex(model => model.id === this.#chosen?.id) : 0);
    }

    #createOption(model, index) {
        const option = create("li", {
            role: "option",
            id: `user-${index}`,
            "data-index": index,
            "aria-selected": String(model.id === this.#chosen?.id),
        }, nameElement(model.id));
        if (model.state === "resident") {
            option.append(create("span", { class: "tag", text: "in memory" }));
        }
        return option;
    }

    #activate(index) {
        this.#list.querySelector(".active")?.classList.remove("active");
        this.#active = index;
        const option = this.#list.children[index];
        if (option === undefined) {
            this.#input.removeAttribute("aria-activedescendant");
            return;
        }
        option.classList.add("active");
        option.scrollIntoView({ block: "nearest" });
        this.#input.setAttribute("aria-activedescendant", option.id);
    }

    #onKey(event) {
        const isOpen = !this.#list.hidden;
        const last = this.#found.length - 1;
        if (event.key === "ArrowDown" && !isOpen) {
            this.#open("");
        } else if (event.key === "ArrowDown") {
            this.#activate(this.#active >= last ? 0 : this.#active + 1);
        } else if (event.key === "ArrowUp" && isOpen) {
            this.#activate(this.#active <= 0 ? last : this.#active - 1);
        } else if (event.key === "Enter") {
            this.#chooseTyped();
        } else if (event.key === "Escape") {
            this.#close();
        } else {
            return;
        }
        event.preventDefault();
    }

    /** Enter takes the marked one, or the first that is found where the list is not yet that of what is typed. */
    async #chooseTyped() {
        const typed = this.#input.value.trim();
        const isShown = this.#shownFor === typed || (this.#shownFor === "" && typed === this.#chosen?.id);
        if (!isShown) {
            clearTimeout(this.#timer);
            await this.#open(typed);
        }
        const model = this.#found[isShown ? this.#active : 0];
        if (model !== undefined) {
            this.#choose(model);
        }
    }

    #choose(model) {
        const isOther = model.id !== this.#chosen?.id;
        this.#chosen = model;
        this.#close();
        if (isOther) {
            this.onChoice(model);
        }
    }

    #close() {
        clearTimeout(this.#timer);
        this.#search?.abort();
        this.#list.hidden = true;
        this.#activate(-1);
        this.#found = [];
        this.#shownFor = null;
        this.#input.setAttribute("aria-expanded", "false");
        if (this.#chosen !== null) {
            this.#input.value = this.#chosen.id;
            this.#note.textContent = "";
        }
    }
}
