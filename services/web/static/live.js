// Follows the city's events: says how the connection is, waits while nobody looks, and catches up afterwards.

const LATEST = 20;
const STALE_MS = 60000;
const LONGEST_MS = 30000;

export class Live {
  #source = null;
  #position = document.body.dataset.position;
  #paused = false;
  #pause = 1000;
  #closed = Date.now();
  #types;
  #happened;
  #state;
  #anew;

  // `happened` is called with each event, `state` with "connecting", "live", "again" or "paused", and `anew` when
  // events were left out, so that those that follow take the place of all before.
  constructor(types, { happened, state, anew }) {
    this.#types = types;
    this.#happened = happened;
    this.#state = state;
    this.#anew = anew;
    // A page in the background keeps none of the few connections that a browser allows.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#close() : this.#open()));
    this.#open();
  }

  get paused() {
    return this.#paused;
  }

  set paused(paused) {
    this.#paused = paused;
    if (paused) this.#close();
    this.#state(paused ? "paused" : "connecting");
    if (!paused) this.#open();
  }

  async #open() {
    if (this.#source || this.#paused || document.hidden) return;
    if (Date.now() - this.#closed > STALE_MS) await this.#catchUp();
    if (this.#source || this.#paused || document.hidden) return;
    this.#state("connecting");
    const source = new EventSource(`/api/events/stream${this.#position ? `?after=${this.#position}` : ""}`);
    this.#source = source;
    source.onopen = () => {
      this.#pause = 1000;
      this.#state("live");
    };
    source.onerror = () => this.#failed(source);
    for (const type of this.#types) source.addEventListener(type, (message) => this.#take(message));
  }

  #take(message) {
    this.#position = message.lastEventId;
    this.#happened(JSON.parse(message.data));
  }

  // A browser tries again by itself after a broken connection, but not after an answer that was an error.
  #failed(source) {
    this.#state("again");
    if (source.readyState !== EventSource.CLOSED || source !== this.#source) return;
    this.#source = null;
    setTimeout(() => this.#open(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_MS);
  }

  #close() {
    if (!this.#source) return;
    this.#source.close();
    this.#source = null;
    this.#closed = Date.now();
  }

  // After a long time only the latest events matter; going on from the old place would tell all of them.
  async #catchUp() {
    try {
      const response = await fetch(`/api/events?after=-${LATEST}&limit=${LATEST}`);
      if (!response.ok) return;
      const { items, next } = await response.json();
      this.#position = next;
      this.#anew();
      items.forEach(this.#happened);
    } catch {
      // No connection: the stream will find that out as well, and say so.
    }
  }
}
