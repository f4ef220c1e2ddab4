// The conversation: each question with its two answers. Either model goes on from its own answers.
import { Answer } from "./answer.js";
import { byId, create, nameElement, textNodes } from "./dom.js";

/** A question and what was answered. */
class Turn {
    /** Whether it is asked again below, so that the conversation goes on without it. */
    isReplaced = false;

    constructor({ prompt, user, left, leftLabel, settings }, card) {
        Object.assign(this, { prompt, user, left });
        this.base = new Answer(left, leftLabel, false, card);
        this.personal = new Answer(user, user, true, card);
        this.element = create(
            "section",
            { class: "turn" },
            create("p", { class: "question", dir: "auto" }, ...textNodes(prompt)),
            create("p", { class: "note settings-used", text: settings }),
            create("div", { class: "pair-of-answers" }, this.base.element, this.personal.element),
        );
    }

    /** Whether another turn is of the same two models, so that it can go on from this one. */
    isOf({ user, left }) {
        return this.user === user && this.left === left;
    }

    replace() {
        this.isReplaced = true;
        this.element.classList.add("replaced");
    }
}

export class Conversation {
    #turns = [];
    #place = byId("turns");
    #card;

    constructor(card) {
        this.#card = card;
    }

    get last() {
        return this.#turns.at(-1) ?? null;
    }

    clear() {
        this.#turns = [];
        this.#place.replaceChildren();
        this.#card.hide();
    }

    /**
     * Adds a question. With other models than before, the conversation begins anew: nothing that one user was told goes
     * to another's model.
     */
    add(question) {
        if (this.last !== null && !this.last.isOf(question)) {
            this.#place.append(create(
                "p", { class: "divider" }, "A new conversation with user ", nameElement(question.user),
            ));
            this.#turns = [];
        }
        const turn = new Turn(question, this.#card);
        this.#turns.push(turn);
        this.#place.append(turn.element);
        return turn;
    }

    /** The last question is asked again: what was answered stays to be compared, and is no part of what follows. */
    replaceLast() {
        this.last?.replace();
    }

    /** What has been said to a side and by it, with the last question. */
    messagesOf(side) {
        const messages = [];
        for (const turn of this.#turns.slice(0, -1)) {
            const { text } = turn[side];
            if (!turn.isReplaced && text !== "") {
                messages.push({ role: "user", content: turn.prompt }, { role: "assistant", content: text });
            }
        }
        return [...messages, { role: "user", content: this.last.prompt }];
    }
}
