/** Whether the service can be reached: pauses grow with failures in a row, and end by themselves. */

const [FIRST, LONGEST] = [1000, 60_000]; // milliseconds

export class Connection {
  #failures = 0;
  #timer = 0;
  #until = 0;

  /** `changed()` is called when sending is to stop or may go on. */
  constructor(changed) {
    this.changed = changed;
    addEventListener("online", () => this.resume());
    addEventListener("offline", () => changed());
  }

  /** Whether sending pauses. */
  get paused() {
    return !navigator.onLine || this.#until > 0;
  }

  /** What it waits for, in a sentence. */
  get reason() {
    if (!navigator.onLine) return "This device is offline. Sending goes on by itself when it is back.";
    return "The service cannot be reached just now. Sending goes on by itself.";
  }

  /** A request succeeded. */
  works() {
    this.#failures = 0;
  }

  /** A request failed; of several at the same time only the first counts. */
  failed() {
    if (this.#until) return;
    const pause = Math.min(LONGEST, FIRST * 2 ** this.#failures) * (0.75 + Math.random() / 2);
    this.#failures += 1;
    this.#until = Date.now() + pause;
    this.#timer = setTimeout(() => this.#end(), pause);
    this.changed();
  }

  /** Try again at once. */
  resume() {
    this.#failures = 0;
    this.#end();
  }

  #end() {
    clearTimeout(this.#timer);
    this.#until = 0;
    this.changed();
  }
}
