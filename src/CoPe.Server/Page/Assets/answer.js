// One model's answer: streamed, tinted, and to be gone through token by token.
import { ApiError } from "./api.js";
import { create, nameElement, textNodes } from "./dom.js";
import { AnswerText, levelOf, signed } from "./pieces.js";

const ALTERNATIVES = 5;
const COPIED_MS = 1500;

const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

/** An answer and its place on the page. */
export class Answer {
    #answer = new AnswerText();
    #pieces = [];
    #cursor = -1;
    #card;
    #model;
    #label;
    #body;
    #copyButton;
    #facts;
    #began = 0;

    /**
     * @param {string} model Who answers.
     * @param {string} label What that model is called on the page.
     * @param {boolean} isPersonal Whether it is a user's.
     * @param {Card} card Shows what a piece is made of.
     */
    constructor(model, label, isPersonal, card) {
        this.#model = model;
        this.#label = label;
        this.#card = card;
        this.#body = create("div", {
            class: "text", dir: "auto", tabindex: "0", role: "group",
            "aria-label": `Answer of ${label}; the arrow keys go through its tokens`,
        });
        this.#facts = create("p", { class: "facts", text: "waiting\u2026" });
        const head = create("h3", {}, create("span", { class: "dot", "aria-hidden": "true" }));
        head.append(...(isPersonal ? [create("span", { text: "User" }), nameElement(label)] : [label]));
        this.#copyButton = create("button", { type: "button", class: "quiet copy", text: "Copy", hidden: true });
        this.#copyButton.addEventListener("click", () => this.#copy());
        this.element = create(
            "article",
            { class: isPersonal ? "answer personal" : "answer", "aria-busy": "true" },
            create("header", {}, head, this.#copyButton),
            this.#body,
            this.#facts,
        );
        this.#listen();
    }

    get text() {
        return this.#answer.text;
    }

    /** The sentence that tells how it ended. */
    get facts() {
        return `${this.#label}: ${this.#facts.textContent}`;
    }

    /**
     * Asks and shows the answer as it comes, until it ends, fails or is stopped.
     * @param {Api} api
     * @param {object} request Messages and settings.
     * @param {AbortSignal} signal Stops it, which frees the server's rows.
     * @param {Function} onGrowth Called with every piece.
     */
    async ask(api, request, signal, onGrowth) {
        const body = {
            model: this.#model, ...request, logprobs: true, top_logprobs: ALTERNATIVES,
        };
        this.#began = performance.now();
        let end = "";
        try {
            for await (const chunk of api.streamChat(body, signal)) {
                const piece = this.#answer.add(chunk);
                if (piece !== null) {
                    this.#append(piece);
                    onGrowth();
                }
                this.#showFacts("");
            }
            this.#appendEnd();
            end = this.#answer.finish === "length" ? "cut off" : "complete";
        } catch (error) {
            end = signal.aborted ? "stopped" : this.text === "" ? "no answer" : "broke off";
            if (!signal.aborted) {
                this.#showError(error);
            }
        }
        this.element.setAttribute("aria-busy", "false");
        // Browsers let only secure pages write to the clipboard: those of this machine, or with HTTPS.
        this.#copyButton.hidden = this.text === "" || navigator.clipboard === undefined;
        this.#showFacts(end);
        onGrowth();
    }

    #append(piece) {
        const level = piece.reward === null ? null : levelOf(piece.reward);
        const attributes = { class: piece.isGated ? "piece gated" : "piece", "data-level": level };
        this.#add(piece, create("span", attributes, ...textNodes(piece.text)));
    }

    /** The token that ends an answer has a share in its reward, and no text. */
    #appendEnd() {
        const piece = this.#answer.end();
        if (piece === null || this.#answer.finish !== "stop") {
            return;
        }
        const level = piece.reward === null ? null : levelOf(piece.reward);
        const attributes = { class: "piece end", "data-level": level, title: "The end of the answer", text: "end" };
        this.#add(piece, create("span", attributes));
    }

    #add(piece, element) {
        element.dataset.index = this.#pieces.length;
        this.#pieces.push({ piece, element });
        this.#body.append(element);
    }

    #showError(error) {
        const known = error instanceof ApiError ? error : new ApiError(`The page failed: ${error.message}`);
        this.element.insertBefore(create("p", { class: "error" }, ...textNodes(known.describe())), this.#facts);
    }

    #showFacts(end) {
        const { tokens, reward } = this.#answer;
        const seconds = (performance.now() - this.#began) / 1000;
        const facts = [];
        if (tokens > 0) {
            facts.push(count(tokens, "token"), `${(tokens / seconds).toFixed(0)} per second`);
        }
        if (reward !== null) {
            facts.push(`implicit reward ${signed(reward)}`);
        }
        if (end !== "") {
            facts.push(end);
        }
        this.#facts.textContent = facts.join(" \u00b7 ") || "waiting\u2026";
    }

    async #copy() {
        try {
            await navigator.clipboard.writeText(this.text);
            this.#copyButton.textContent = "Copied";
        } catch {
            this.#copyButton.textContent = "The browser refused";
        }
        setTimeout(() => { this.#copyButton.textContent = "Copy"; }, COPIED_MS);
    }

    #listen() {
        const find = event => {
            const element = event.target.closest(".piece");
            return element === null ? undefined : this.#pieces[Number(element.dataset.index)];
        };
        this.#body.addEventListener("pointerover", event => {
            if (event.pointerType === "mouse" && find(event) !== undefined) {
                this.#card.showSoon(find(event));
            }
        });
        this.#body.addEventListener("pointerleave", event => {
            if (event.pointerType === "mouse") {
                this.#card.hideSoon();
            }
        });
        this.#body.addEventListener("click", event => {
            const found = find(event);
            if (found !== undefined && getSelection().isCollapsed) {
                this.#moveTo(this.#pieces.indexOf(found));
            }
        });
        this.#body.addEventListener("keydown", event => this.#onKey(event));
        this.#body.addEventListener("blur", () => this.#leave());
    }

    #onKey(event) {
        const last = this.#pieces.length - 1;
        const places = {
            ArrowRight: Math.min(last, this.#cursor + 1),
            ArrowLeft: Math.max(0, this.#cursor - 1),
            Home: 0,
            End: last,
        };
        if (event.key === "Escape") {
            this.#leave();
        } else if (event.key in places && last >= 0 && !event.ctrlKey && !event.metaKey && !event.altKey) {
            event.preventDefault();
            this.#moveTo(places[event.key]);
        }
    }

    #moveTo(index) {
        this.#pieces[this.#cursor]?.element.classList.remove("cursor");
        this.#cursor = index;
        const found = this.#pieces[index];
        found.element.classList.add("cursor");
        found.element.scrollIntoView({ block: "nearest" });
        this.#card.pin(found);
    }

    #leave() {
        this.#pieces[this.#cursor]?.element.classList.remove("cursor");
        this.#cursor = -1;
        this.#card.hide();
    }
}
