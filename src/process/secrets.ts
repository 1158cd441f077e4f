const HIDDEN = '***';

// Where tokens stand in what clients send: headers and URLs.
const IN_REQUESTS = /\b(oauth|bearer)([ =]+)[^\s"'&,;\\]+/gi;

/** Texts that must not be told to anyone: takes them out of what is written. */
export class Secrets {
  readonly #forms = new Set<string>();

  add(secret: string): void {
    this.#forms.add(secret);
    // As it stands in a line of the log.
    this.#forms.add(JSON.stringify(secret).slice(1, -1));
  }

  /** The same text without secrets. */
  hide(text: string): string {
    let hidden = text.replace(IN_REQUESTS, `$1$2${HIDDEN}`);
    for (const secret of this.#forms) hidden = hidden.replaceAll(secret, HIDDEN);
    return hidden;
  }
}
