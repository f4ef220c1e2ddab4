// From the chunks of an answer to pieces of text, each with the tokens that made it.

/** Implicit reward, in nats, from which on a piece has the tint of a level. */
const LEVELS = [0.1, 0.5, 1.5, 3];

/** The level of a tint: 0 for next to nothing, up to 4 and down to -4. */
export function levelOf(reward) {
    const size = LEVELS.filter(limit => Math.abs(reward) >= limit).length;
    return reward < 0 ? -size : size;
}

/** What a level stands for, in words. */
export function describeLevel(level) {
    if (level === 0) {
        return `less than ${LEVELS[0]} either way`;
    }
    const sign = level < 0 ? "\u2212" : "+";
    return `${sign}${LEVELS[Math.abs(level) - 1]} ${level < 0 ? "or less" : "or more"}`;
}

/** A number with its sign. */
export function signed(value) {
    const text = Math.abs(value).toFixed(2);
    return Number(text) === 0 ? "0.00" : `${value < 0 ? "\u2212" : "+"}${text}`;
}

/** A probability from its logarithm. */
export function percent(logprob) {
    const share = 100 * Math.exp(logprob);
    return share < 0.01 ? "< 0.01 %" : `${share.toFixed(share < 1 ? 2 : share < 10 ? 1 : 0)} %`;
}

const readEntry = entry => ({
    text: entry.token,
    logprob: entry.logprob,
    reward: entry.implicit_reward ?? null,
});

const readToken = entry => ({
    ...readEntry(entry),
    isGated: entry.without_contrast === true,
    alternatives: (entry.top_logprobs ?? []).map(readEntry),
});

/** The reward of several tokens; null where the answer has none. */
const sumRewards = tokens => tokens.reduce(
    (sum, token) => token.reward === null ? sum : (sum ?? 0) + token.reward,
    null,
);

/**
 * A piece: text that became final with the last of its tokens. Mostly it has one; a character of several bytes, or what
 * the model thinks before it answers, has more.
 */
function createPiece(text, tokens) {
    return { text, tokens, reward: sumRewards(tokens), isGated: tokens.some(token => token.isGated) };
}

/** An answer as it grows. */
export class AnswerText {
    text = "";
    tokens = 0;
    reward = null;
    finish = null;

    #pending = [];

    /** Takes a chunk; returns the piece that it completes, or null. */
    add(chunk) {
        const [choice] = chunk.choices;
        if (choice === undefined) {
            return null;
        }
        const tokens = (choice.logprobs?.content ?? []).map(readToken);
        this.#pending.push(...tokens);
        this.tokens += tokens.length;
        this.reward = sumRewards([{ reward: this.reward }, ...tokens]);
        this.finish = choice.finish_reason ?? this.finish;
        const text = choice.delta.content ?? "";
        this.text += text;
        return text === "" ? null : this.#complete(text);
    }

    /** The piece without a text that is left at the end: the token that ends the answer. Null where there is none. */
    end() {
        return this.#pending.length === 0 ? null : this.#complete("");
    }

    #complete(text) {
        const piece = createPiece(text, this.#pending);
        this.#pending = [];
        return piece;
    }
}
