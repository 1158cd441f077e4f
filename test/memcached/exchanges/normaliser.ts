import type { Bytes } from '../../support/memcached-client.ts';

/**
 * Makes answers of two servers comparable: cas numbers become names in order of appearance (equal ones
 * stay equal), times are rounded so that a second more or less is no difference, and what tells of one
 * server's memory is left out. One object serves one exchange.
 */
export class Normaliser {
  readonly #casNames = new Map<string, string>();
  #lastCas = 0n;

  /** A step with the last cas number that was seen put in. */
  fill(step: Bytes): Bytes {
    return step.replace(/<cas([+-]1)?>/g, (_all, difference: string | undefined) =>
      String(this.#lastCas + BigInt(difference ?? 0)),
    );
  }

  normalise(answer: Bytes): Bytes {
    let result = '';
    let at = 0;
    while (at < answer.length) {
      const newline = answer.indexOf('\n', at);
      const end = newline < 0 ? answer.length : newline + 1;
      const line = answer.slice(at, end);
      // A value is what it is, whatever it looks like.
      const dataLength = /^(?:VALUE [^ ]+ \d+|VA) (\d+)/.exec(line)?.[1];
      const next = dataLength === undefined ? end : end + Number(dataLength) + 2;
      result += this.#line(line) + answer.slice(end, next);
      at = next;
    }
    return result;
  }

  #line(line: Bytes): Bytes {
    if (line.startsWith('VALUE ')) {
      return line.replace(/^(VALUE [^ ]+ \d+ \d+) (\d+)/, (_all, start, cas) => `${start} ${this.#cas(cas)}`);
    }
    if (/^(?:HD|VA|EX|NS|NF) /.test(line))
      return line.replace(/(?<= )[ctl]\d+(?=[ \r])/g, (token) => this.#token(token));
    if (line.startsWith('ME ')) {
      return line
        .replace(/ exp=-(\d+)/, (all, seconds) => (all === ' exp=-1' ? all : ` exp=-${rounded(seconds)}`))
        .replace(/ cas=(\d+)/, (_all, cas) => ` cas=${this.#cas(cas)}`)
        .replace(/ cls=\d+ size=\d+/, ' cls=? size=?');
    }
    return line.replace(/^VERSION .*?(?=\r\n)/, 'VERSION ?');
  }

  #token(token: Bytes): Bytes {
    const number = token.slice(1);
    if (token.startsWith('c')) return `c${this.#cas(number)}`;
    return `${token.charAt(0)}${rounded(number)}`;
  }

  #cas(number: string): string {
    // 0 stands for "nothing was stored".
    if (number === '0') return '0';
    this.#lastCas = BigInt(number);
    const name = this.#casNames.get(number) ?? `cas#${this.#casNames.size + 1}`;
    this.#casNames.set(number, name);
    return name;
  }
}

// To the ten seconds above: expiry times in exchanges are multiples of ten.
function rounded(seconds: string): number {
  return Math.ceil(Number(seconds) / 10) * 10;
}
