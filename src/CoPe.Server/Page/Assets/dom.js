// Elements, and texts in them. Whatever comes from a user or a model becomes a text node, never markup.

/** Finds an element of the page by its id. */
export const byId = id => document.getElementById(id);

/**
 * Creates an element.
 * @param {string} tag
 * @param {object} attributes `class`, `text`, and any attribute; false and null are left out, true is an empty one.
 * @param {...Node} children
 */
export function create(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value === null || value === undefined || value === false) {
            continue;
        }
        if (name === "text") {
            element.textContent = value;
        } else {
            element.setAttribute(name, value === true ? "" : value);
        }
    }
    element.append(...children);
    return element;
}

// Characters that one does not see, yet that change what one reads: where a text runs, or that it holds nothing.
const DIRECTIONS = "\\u061c\\u202a-\\u202e\\u2066-\\u2069";
const NOTHING = "\\u200b\\u2060-\\u2065\\u206a-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}";
const CONTROLS = "\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f";

const unseenInTexts = new RegExp(`[${DIRECTIONS}${NOTHING}${CONTROLS}]`, "gu");

// In a name also those that a text needs: to join letters, to run to the left, to break a line, to fill a syllable.
const unseenInNames = new RegExp(
    `[${DIRECTIONS}${NOTHING}${CONTROLS}\\t\\n\\u200c-\\u200f\\u2028\\u2029\\u115f\\u1160\\u3164]`,
    "gu",
);

const codeOf = character => "U+" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");

function* split(text, unseen) {
    let end = 0;
    for (const match of text.matchAll(unseen)) {
        if (match.index > end) {
            yield document.createTextNode(text.slice(end, match.index));
        }
        const code = codeOf(match[0]);
        yield create("span", { class: "unprinted", text: code, title: `Invisible character ${code}` });
        end = match.index + match[0].length;
    }
    if (end < text.length) {
        yield document.createTextNode(text.slice(end));
    }
}

/** The nodes of a text: invisible characters are shown by their codes. */
export const textNodes = text => [...split(text, unseenInTexts)];

/** The nodes of a name, such as a user's. */
export const nameNodes = name => [...split(name, unseenInNames)];

/** A name that stands apart from the text around it, whichever way it runs. */
export const nameElement = (name, attributes = {}) => create("bdi", attributes, ...nameNodes(name));

/** A token's text with its spaces and line ends to be seen. */
export const tokenNodes = token => nameNodes(token.replaceAll(" ", "\u2423").replaceAll("\n", "\u21b5"));
