import { crc32 } from 'node:zlib';
import { MARKER_BYTES } from './file-header.ts';

/*
 * A frame is what was written at once: the marker of its file (8 bytes), a checksum of all that follows it (4),
 * how long its body is (4), its sequence number, when it was begun, the next cas when it was complete, which frames
 * were on disk then (8 each), and the body: records. Numbers are little-endian; those of 8 bytes are doubles.
 */
const CHECKSUM_AT = MARKER_BYTES;
const CHECKED_FROM = 12;
const LENGTH_AT = 12;
const SEQUENCE_AT = 16;
const TIME_AT = 24;
const CAS_AT = 32;
const KEPT_AT = 40;
export const FRAME_HEADER_BYTES = 48;

/** What the header of a frame says. */
export interface FrameHead {
  /** One more than that of the frame before. */
  readonly sequence: number;
  /** When its first record was told: milliseconds since the Unix epoch, by the machine's clock. */
  readonly begunAt: number;
  /** The number that the next version of an item would have had. */
  readonly nextCas: number;
  /** The frames before this number were certainly on disk then; 0: nobody asked for that. */
  readonly kept: number;
}

/** Completes a frame whose body stands behind room for its header. */
export function sealFrame(frame: Buffer, marker: Buffer, head: FrameHead): void {
  marker.copy(frame);
  frame.writeUInt32LE(frame.length - FRAME_HEADER_BYTES, LENGTH_AT);
  frame.writeDoubleLE(head.sequence, SEQUENCE_AT);
  frame.writeDoubleLE(head.begunAt, TIME_AT);
  frame.writeDoubleLE(head.nextCas, CAS_AT);
  frame.writeDoubleLE(head.kept, KEPT_AT);
  frame.writeUInt32LE(crc32(frame.subarray(CHECKED_FROM)), CHECKSUM_AT);
}

/** How long the whole frame is that begins like this; undefined: none does. Its header at least must be there. */
export function frameLength(start: Buffer, marker: Buffer): number | undefined {
  if (!start.subarray(0, MARKER_BYTES).equals(marker)) return undefined;
  return FRAME_HEADER_BYTES + start.readUInt32LE(LENGTH_AT);
}

/** Is a frame as it was written? */
export function isSound(frame: Buffer): boolean {
  return frame.readUInt32LE(CHECKSUM_AT) === crc32(frame.subarray(CHECKED_FROM));
}

export function readFrameHead(frame: Buffer): FrameHead {
  return {
    sequence: frame.readDoubleLE(SEQUENCE_AT),
    begunAt: frame.readDoubleLE(TIME_AT),
    nextCas: frame.readDoubleLE(CAS_AT),
    kept: frame.readDoubleLE(KEPT_AT),
  };
}
