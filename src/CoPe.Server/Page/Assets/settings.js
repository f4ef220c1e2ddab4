// The settings of an answer: sliders, numbers, and which model stands on the left.
import { byId, create } from "./dom.js";

const NUMBERS = [["max-tokens", "max_tokens"], ["temperature", "temperature"], ["seed", "seed"],
    ["plausibility", "plausibility"]];

const share = value => `${Math.round(100 * value)} %`;

export class Settings {
    #defaults = { base: "base", contrast: 0.1, contrast_unless_certain: null };
    #areKnown = false;
    #contrast = byId("contrast");
    #gate = byId("gate");
    #left = null;

    constructor() {
        this.#contrast.addEventListener("input", () => this.#show());
        this.#gate.addEventListener("input", () => this.#show());
        byId("reset").addEventListener("click", () => this.reset());
        this.reset();
        this.#keepOpenWhereThereIsRoom();
    }

    /** The model on the left. */
    get left() {
        return this.#left ?? this.#defaults.base;
    }

    get leftLabel() {
        return this.#left === null ? "Base model" : "Task model";
    }

    /** Takes what the server does where a request does not say so; what somebody has set since stays. */
    useDefaults(defaults) {
        if (this.#areKnown) {
            return;
        }
        this.#areKnown = true;
        this.#defaults = defaults;
        this.#contrast.max = Math.max(2, defaults.contrast);
        this.reset();
    }

    reset() {
        this.#contrast.value = this.#defaults.contrast;
        this.#gate.value = this.#defaults.contrast_unless_certain ?? 1;
        for (const [id, field] of NUMBERS) {
            byId(id).value = "";
            byId(id).placeholder = this.#defaults[field] ?? "any";
        }
        this.#show();
    }

    /** Offers the models that a user's stands on: the base model, and the task's where there is one. */
    offerLeft(parent) {
        const task = parent === this.#defaults.base ? null : parent;
        this.#left = this.#left === null ? null : task;
        const choices = [this.#createChoice("Base model", null)];
        if (task !== null) {
            choices.push(this.#createChoice("Task model", task));
        }
        byId("left").replaceChildren(...choices);
    }

    #createChoice(label, model) {
        const input = create("input", { type: "radio", name: "left", checked: model === this.#left });
        input.addEventListener("change", () => { this.#left = model; });
        return create("label", {}, input, create("span", { text: label }));
    }

    /** The fields of a request to a user's model. */
    fieldsOfUser() {
        return {
            ...this.fieldsOfAll(),
            contrast: Number(this.#contrast.value),
            contrast_unless_certain: Number(this.#gate.value),
        };
    }

    /** Those that any model's answer depends on. */
    fieldsOfAll() {
        const fields = {};
        for (const [id, field] of NUMBERS) {
            if (byId(id).value !== "") {
                fields[field] = Number(byId(id).value);
            }
        }
        fields.max_tokens ??= this.#defaults.max_tokens;
        return fields;
    }

    /** Whether all numbers can be sent; shows the first that cannot. */
    check() {
        const wrong = NUMBERS.map(([id]) => byId(id)).find(input => !input.checkValidity());
        if (wrong === undefined) {
            return true;
        }
        for (let outer = wrong.closest("details"); outer !== null; outer = outer.parentElement.closest("details")) {
            outer.open = true;
        }
        wrong.reportValidity();
        return false;
    }

    /** The settings of an answer, in a few words. */
    describe() {
        const { contrast, contrast_unless_certain: gate, max_tokens: _, ...others } = this.fieldsOfUser();
        const all = [`contrast ${contrast.toFixed(2)}`, gate < 1 ? `gate ${share(gate)}` : "no gate"];
        return [...all, ...Object.entries(others).map(([field, value]) => `${field} ${value}`)].join(" \u00b7 ");
    }

    #show() {
        const gate = Number(this.#gate.value);
        byId("contrast-value").textContent = Number(this.#contrast.value).toFixed(2);
        byId("gate-value").textContent = gate < 1 ? share(gate) : "off";
        byId("gate-note").textContent = gate < 1
            ? `No contrast where the model without the user's adapter is more than ${share(gate)} sure.`
            : "Contrast everywhere. Further left: none where the model without the user's adapter is sure.";
    }

    #keepOpenWhereThereIsRoom() {
        const wide = matchMedia("(min-width: 60rem)");
        const apply = () => { byId("tuning").open = wide.matches; };
        wide.addEventListener("change", apply);
        apply();
    }
}
