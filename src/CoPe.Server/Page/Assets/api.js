// What the page asks of its server: OpenAI's API and the page's own settings.

const KEY = "cope-key";

/** A request that was refused or broke off, in words to be shown. */
export class ApiError extends Error {
    /**
     * @param {string} message
     * @param {number} status HTTP's status; 0 where there was none.
     * @param {number?} retryAfter Seconds until another try may succeed.
     */
    constructor(message, status = 0, retryAfter = null) {
        super(message);
        this.status = status;
        this.retryAfter = retryAfter;
    }

    /** All that is known, as one text. */
    describe() {
        const wait = this.retryAfter === null ? ""
            : ` Try again in ${this.retryAfter} ${this.retryAfter === 1 ? "second" : "seconds"}.`;
        return `${this.status === 0 ? "" : `${this.status}: `}${this.message}${wait}`;
    }
}

export class Api {
    /** Called when the server refuses a request for want of a key. */
    onKeyNeeded = () => {};

    #key = sessionStorage.getItem(KEY) ?? "";

    get hasKey() {
        return this.#key !== "";
    }

    /** Takes a key, for as long as the tab lives. */
    useKey(key) {
        this.#key = key;
        sessionStorage.setItem(KEY, key);
    }

    /** How tokens are chosen where a request does not say so. */
    async readSettings() {
        return await (await this.#send("/page/settings")).json();
    }

    /** Users whose names contain a text: `{ data, has_more }`. */
    async findUsers(search, limit, signal) {
        const query = new URLSearchParams({ kind: "user", search, limit });
        return await (await this.#send(`/v1/models?${query}`, { signal })).json();
    }

    /** The chunks of an answer as they come. */
    async *streamChat(body, signal) {
        const response = await this.#send("/v1/chat/completions", {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ ...body, stream: true }),
            signal,
        });
        for await (const data of readEvents(response.body)) {
            if (data === "[DONE]") {
                return;
            }
            const chunk = JSON.parse(data);
            if (chunk.error) {
                throw new ApiError(chunk.error.message);
            }
            yield chunk;
        }
        throw new ApiError("The answer broke off: the server ended the connection.");
    }

    async #send(address, options = {}) {
        const headers = { ...options.headers };
        if (this.hasKey) {
            headers.Authorization = `Bearer ${this.#key}`;
        }
        let response;
        try {
            response = await fetch(address, { ...options, headers, cache: "no-store", credentials: "omit" });
        } catch (error) {
            throw error.name === "AbortError" ? error
                : new ApiError("The server cannot be reached. Is it running, and the key one of plain characters?");
        }
        if (!response.ok) {
            throw await this.#explain(response);
        }
        return response;
    }

    async #explain(response) {
        let message = response.statusText || "The server refused the request.";
        try {
            message = (await response.json()).error.message;
        } catch {
            // Something between the page and its server has answered, in its own words.
        }
        if (response.status === 401) {
            this.onKeyNeeded();
        }
        const wait = Number.parseInt(response.headers.get("Retry-After"), 10);
        return new ApiError(message, response.status, Number.isNaN(wait) ? null : wait);
    }
}

/** The data of server-sent events. */
async function* readEvents(stream) {
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    try {
        while (true) {
            const { done, value } = await reader.read();
            if (done) {
                return;
            }
            const events = (text + value).split("\n\n");
            text = events.pop();
            for (const event of events) {
                const lines = event.split("\n").filter(line => line.startsWith("data: "));
                if (lines.length > 0) {
                    yield lines.map(line => line.slice("data: ".length)).join("\n");
                }
            }
        }
    } catch (error) {
        throw error.name === "AbortError" ? error
            : new ApiError("The answer broke off: the connection to the server was lost.");
    } finally {
        reader.cancel().catch(() => {});
    }
}
