import type { KeyBytes } from '../../engine/key.ts';
import type { BufferPool, PooledBuffer } from '../connections/buffer-pool.ts';
import { lineParserFor, readSignIn, refused } from './command-lines.ts';
import { type Announced, isNoreply, type Request } from './request.ts';
import { NO_BLOCK, Words } from './words.ts';

const EMPTY = Buffer.alloc(0);
const NEWLINE = 0x0a;
const RETURN = 0x0d;

// One for all parsers, since a line is read in one go: so that little per client has to come back into the processor's
// cache where there are thousands.
const words = new Words();

/** What ends a data block. */
const LINE_END_BYTES = 2;

// Beyond this length without a line end, memcached accepts nothing but a long get.
const SHORT_LINE_BYTES_MAX = 2048;
const GET = /^ {0,100}gets? /;
const GET_BYTES_MAX = 106;

// In how many parts the start of a line is kept: joined with each that comes, a long one would be copied for every byte.
const LINE_PARTS_MAX = 64;

export interface ParserLimits {
  /** Is the client yet to sign in? Then a set is its sign-in; see readSignIn. */
  readonly isSigningIn?: boolean;
  /** The longest line of a get, in bytes. */
  readonly lineBytesMax: number;
  /** The largest data block, in bytes. */
  readonly valueBytesMax: number;
}

/**
 * Turns one client's bytes into requests: `push` what arrived, then take requests with `next` until
 * there is none. Knows nothing of sockets, items or sign-in. What it gives may be views of the pushed
 * chunk and holds until the next push; what it keeps itself, it copies.
 */
export class Parser {
  limits: ParserLimits;
  readonly #pool: BufferPool;
  /** What is to be parsed: #input[#position, #end). */
  #input: Buffer = EMPTY;
  #position = 0;
  #end = 0;
  #isDetached = false;
  /** The start of a line whose end has not come yet. */
  #lineParts: Buffer[] = [];
  #linePartsLength = 0;
  /** A storage command whose data block is awaited, and what of the block has come if not all. */
  #announced: Announced | undefined;
  #blockLength = 0;
  #block: PooledBuffer | undefined;
  #blockFilled = 0;
  /** Where the data block lies that came in pieces and was given. */
  #given: PooledBuffer | undefined;
  /** Bytes of a refused data block still to be passed over. */
  #toSwallow = 0;

  constructor(limits: ParserLimits, pool: BufferPool) {
    this.limits = limits;
    this.#pool = pool;
  }

  /** Has it seen the beginning of something whose end has not come yet? */
  get isInside(): boolean {
    return this.#linePartsLength > 0 || this.#announced !== undefined || this.#toSwallow > 0;
  }

  /** Is what it reads a copy that nobody else uses? */
  get isDetached(): boolean {
    return this.#isDetached;
  }

  /** The first `keyCount` are the keys parsed since the last `forgetKeys` or `push`. */
  get keys(): readonly KeyBytes[] {
    return words.keys;
  }

  get keyCount(): number {
    return words.keyCount;
  }

  forgetKeys(): void {
    words.forgetKeys();
  }

  /** Takes a part of a buffer, once all requests of what was pushed before have been taken. */
  push(buffer: Buffer, start = 0, end = buffer.length): void {
    this.#input = buffer;
    this.#position = start;
    this.#end = end;
    this.#isDetached = false;
    words.forgetKeys();
    this.letGo();
  }

  /** What it gave is not needed any more, or was copied. */
  letGo(): void {
    this.#given?.giveBack();
    this.#given = undefined;
  }

  /** Nothing more will come. */
  abandon(): void {
    this.letGo();
    this.#block?.giveBack();
    this.#block = undefined;
  }

  /** Keeps a copy of what is not parsed yet, so that the pushed chunk may be used for something else. */
  detach(): void {
    this.letGo();
    if (this.#isDetached) return;
    this.#isDetached = true;
    this.#input = Buffer.from(this.#input.subarray(this.#position, this.#end));
    this.#position = 0;
    this.#end = this.#input.length;
  }

  /** The next request, or undefined until more bytes come. */
  next(): Request | undefined {
    for (;;) {
      if (this.#toSwallow > 0 && !this.#swallow()) return undefined;
      if (this.#announced) return this.#readBlock(this.#announced);
      const request = this.#readLine();
      if (request !== 'announced') return request;
    }
  }

  #swallow(): boolean {
    const here = Math.min(this.#toSwallow, this.#end - this.#position);
    this.#position += here;
    this.#toSwallow -= here;
    return this.#toSwallow === 0;
  }

  #readLine(): Request | 'announced' | undefined {
    const start = this.#position;
    if (start === this.#end) return undefined;
    if (this.#linePartsLength > 0) return this.#finishLine();
    const newline = words.readLine(this.#input, start, this.#end);
    if (newline < 0) return this.#keepLinePart();
    this.#position = newline + 1;
    return this.#parseLine(newline - start);
  }

  #finishLine(): Request | 'announced' | undefined {
    const newline = this.#input.indexOf(NEWLINE, this.#position);
    if (newline < 0 || newline >= this.#end) return this.#keepLinePart();
    const line = Buffer.concat([...this.#lineParts, this.#input.subarray(this.#position, newline + 1)]);
    this.#position = newline + 1;
    this.#lineParts = [];
    this.#linePartsLength = 0;
    return this.#parseLine(words.readLine(line, 0));
  }

  #parseLine(length: number): Request | 'announced' {
    if (length > this.limits.lineBytesMax) return refused(LINE_TOO_LONG, { close: true });
    const parse = lineParserFor(words);
    if (!parse) return isHttp() ? CLOSE : refused('ERROR');
    const request = (this.limits.isSigningIn ? readSignIn(words) : undefined) ?? parse(words);
    const { dataLength } = words;
    if (dataLength === NO_BLOCK) return request;
    if ('data' in request) return this.#announce(request, dataLength);
    this.#toSwallow = dataLength + LINE_END_BYTES;
    return request;
  }

  #announce(request: Announced, dataLength: number): Request | 'announced' {
    if (dataLength > this.limits.valueBytesMax) {
      this.#toSwallow = dataLength + LINE_END_BYTES;
      // Not for add and the like: they would not have replaced the old value.
      const overwrites = request.command === 'set' || request.command === 'ms';
      return refused('SERVER_ERROR object too large for cache', {
        noreply: isNoreply(request),
        ...(overwrites ? { tooLargeFor: request.key } : {}),
      });
    }
    this.#announced = request;
    this.#blockLength = dataLength + LINE_END_BYTES;
    return 'announced';
  }

  #readBlock(request: Announced): Request | undefined {
    const start = this.#position;
    // Usually the whole block is in the chunk, and stays there.
    if (!this.#block && this.#end - start >= this.#blockLength) {
      this.#position = start + this.#blockLength;
      return this.#complete(request, this.#input, start);
    }
    if (!this.#block) {
      request.key.keep();
      if (request.command === 'ms') request.opaque?.keep();
    }
    const pooled = this.#collectBlock();
    if (!pooled) return undefined;
    this.#given = pooled;
    return this.#complete(request, pooled.bytes, 0);
  }

  #complete(request: Announced, buffer: Buffer, start: number): Request {
    this.#announced = undefined;
    const end = start + this.#blockLength - LINE_END_BYTES;
    if (buffer[end] !== RETURN || buffer[end + 1] !== NEWLINE) {
      return refused('CLIENT_ERROR bad data chunk', { noreply: isNoreply(request) });
    }
    request.data = buffer.subarray(start, end);
    return request;
  }

  // One buffer, filled as the block comes; undefined until it is full.
  #collectBlock(): PooledBuffer | undefined {
    this.#block ??= this.#pool.take(this.#blockLength);
    const wanted = Math.min(this.#end, this.#position + this.#blockLength - this.#blockFilled);
    this.#blockFilled += this.#input.copy(this.#block.bytes, this.#blockFilled, this.#position, wanted);
    this.#position = wanted;
    if (this.#blockFilled < this.#blockLength) return undefined;
    const block = this.#block;
    this.#block = undefined;
    this.#blockFilled = 0;
    return block;
  }

  #keepLinePart(): Request | undefined {
    const part = this.#input.subarray(this.#position, this.#end);
    this.#position = this.#end;
    this.#lineParts.push(Buffer.from(part));
    this.#linePartsLength += part.length;
    if (this.#lineParts.length > LINE_PARTS_MAX) this.#lineParts = [Buffer.concat(this.#lineParts)];
    if (this.#linePartsLength <= SHORT_LINE_BYTES_MAX) return undefined;
    const isGet = GET.test(Buffer.concat(this.#lineParts, GET_BYTES_MAX).toString('latin1'));
    // Like memcached, without a word: this cannot be its protocol.
    if (!isGet) return CLOSE;
    const tooLong = this.#linePartsLength > this.limits.lineBytesMax;
    return tooLong ? refused(LINE_TOO_LONG, { close: true }) : undefined;
  }
}

// A web browser, or someone who makes one send commands: the rest of its request is no command, either. memcached does
// not look for this where it has commands with the same first letter.
function isHttp(): boolean {
  const isLikeACommand = words.length(0) < 2 || /^(?:[gsacidt]|m.$)/s.test(words.text(0));
  return !isLikeACommand && words.text(words.count - 1).startsWith('HTTP/');
}

const LINE_TOO_LONG = 'CLIENT_ERROR line too long';
const CLOSE = refused('', { noreply: true, close: true });
