// The page of a server: choose a user, ask, and watch the model's answer and the user's own side by side.
import { Api, ApiError } from "./api.js";
import { Card } from "./card.js";
import { Chooser } from "./chooser.js";
import { Conversation } from "./conversation.js";
import { byId, create } from "./dom.js";
import { describeLevel } from "./pieces.js";
import { Settings } from "./settings.js";

/** Pixels from the end of the page within which a reader follows what is written there. */
const NEAR_END = 80;

const api = new Api();
const settings = new Settings();
const chooser = new Chooser(api);
const conversation = new Conversation(new Card());

const prompt = byId("prompt");
const status = byId("status");
let asking = null;

/** Fills the page with what the server says of itself; again once it has a key. */
async function start() {
    try {
        settings.useDefaults(await api.readSettings());
        await chooser.start();
        byId("key-form").hidden = true;
    } catch (error) {
        if (error.status !== 401) {
            byId("user-note").textContent = error instanceof ApiError ? error.describe() : String(error);
        }
    }
}

async function ask(text, isAgain) {
    const user = chooser.chosen;
    if (asking !== null || text.trim() === "" || !settings.check()) {
        return;
    }
    if (user === null) {
        byId("user").focus();
        return;
    }
    if (isAgain) {
        conversation.replaceLast();
    }
    const turn = conversation.add({
        prompt: text,
        user: user.id,
        left: settings.left,
        leftLabel: settings.leftLabel,
        settings: settings.describe(),
    });
    asking = new AbortController();
    showState();
    status.textContent = "Both models answer.";
    const follow = followGrowth();
    turn.element.scrollIntoView({ block: "start" });
    await Promise.all([
        turn.base.ask(api, requestOf("base", settings.fieldsOfAll()), asking.signal, follow),
        turn.personal.ask(api, requestOf("personal", settings.fieldsOfUser()), asking.signal, follow),
    ]);
    asking = null;
    showState();
    status.textContent = `${turn.base.facts}. ${turn.personal.facts}.`;
}

const requestOf = (side, fields) => ({ messages: conversation.messagesOf(side), ...fields });

/** Keeps the end of the answers in view, unless the reader has gone elsewhere. */
function followGrowth() {
    const page = document.scrollingElement;
    let height = page.scrollHeight;
    return () => {
        const wasAtEnd = height - page.scrollTop - innerHeight < NEAR_END;
        height = page.scrollHeight;
        if (wasAtEnd) {
            page.scrollTop = height;
        }
    };
}

function showState() {
    const isAsking = asking !== null;
    byId("ask").hidden = isAsking;
    byId("stop").hidden = !isAsking;
    byId("again").disabled = isAsking || conversation.last === null;
    byId("clear").disabled = isAsking || conversation.last === null;
    byId("welcome").hidden = conversation.last !== null;
}

function submit() {
    const text = prompt.value;
    if (asking === null && text.trim() !== "" && chooser.chosen !== null && settings.check()) {
        prompt.value = "";
    }
    ask(text, false);
}

byId("composer").addEventListener("submit", event => {
    event.preventDefault();
    submit();
});
prompt.addEventListener("keydown", event => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        submit();
    }
});
byId("stop").addEventListener("click", () => {
    asking?.abort();
    prompt.focus();
});
byId("again").addEventListener("click", () => ask(conversation.last.prompt, true));
byId("clear").addEventListener("click", () => {
    conversation.clear();
    showState();
    prompt.focus();
});
byId("tint").addEventListener("change", event => {
    document.body.classList.toggle("untinted", !event.target.checked);
});
byId("key-form").addEventListener("submit", event => {
    event.preventDefault();
    api.useKey(byId("key").value.trim());
    byId("key").value = "";
    start();
});

api.onKeyNeeded = () => {
    const wasUsed = api.hasKey;
    byId("key-form").hidden = false;
    byId("key-form").classList.toggle("refused", wasUsed);
    byId("key").focus();
};
chooser.onChoice = user => settings.offerLeft(user.parent);

for (let level = -4; level <= 4; level++) {
    byId("scale").append(create("i", { "data-level": level, title: describeLevel(level) }));
}
settings.offerLeft(null);
showState();
await start();
