import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { StartError } from '../start-error.ts';

/*
 * How a file begins: a name for its kind (8 bytes), the version of the format, the number of the generation (4
 * each), the sequence number of its first frame (8), the marker of its frames (8), a checksum of all that (4).
 * Numbers are little-endian; those of 8 bytes are doubles.
 */
const KIND = Buffer.from('ironlog\n');
const VERSION_AT = 8;
const GENERATION_AT = 12;
const SEQUENCE_AT = 16;
const MARKER_AT = 24;
const CHECKSUM_AT = 32;
export const FILE_HEADER_BYTES = 36;

export const MARKER_BYTES = 8;

/** The format that is written, and the only one there ever was. */
const VERSION = 1;

export interface FileHeader {
  readonly generation: number;
  /** The sequence number of its first frame: one more than that of the last frame of the file before. */
  readonly firstSequence: number;
  /**
   * What each of its frames begins with: bytes that nobody knows, so that none can be forged in a value, and
   * whole frames are found again behind damage.
   */
  readonly marker: Buffer;
}

/** The header of a new file. */
export function newFileHeader(generation: number, firstSequence: number): FileHeader {
  return { generation, firstSequence, marker: randomBytes(MARKER_BYTES) };
}

export function formatFileHeader({ generation, firstSequence, marker }: FileHeader): Buffer {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  KIND.copy(bytes);
  bytes.writeUInt32LE(VERSION, VERSION_AT);
  bytes.writeUInt32LE(generation, GENERATION_AT);
  bytes.writeDoubleLE(firstSequence, SEQUENCE_AT);
  marker.copy(bytes, MARKER_AT);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CHECKSUM_AT)), CHECKSUM_AT);
  return bytes;
}

/** Reads a header, or says why it cannot be read. Throws StartError where a newer release can. */
export function parseFileHeader(bytes: Buffer, path: string): FileHeader | string {
  if (bytes.length < FILE_HEADER_BYTES) return 'it ends within its first bytes';
  if (!bytes.subarray(0, VERSION_AT).equals(KIND)) return 'it does not begin as a file of items does';
  if (bytes.readUInt32LE(CHECKSUM_AT) !== crc32(bytes.subarray(0, CHECKSUM_AT))) {
    return 'its first bytes are damaged';
  }
  const version = bytes.readUInt32LE(VERSION_AT);
  if (version !== VERSION) {
    // Not damaged: a repair must not leave it out.
    throw new StartError(
      `${path} has the format ${version}, and this release reads up to ${VERSION}: a newer one wrote it, and has to read it`,
    );
  }
  return {
    generation: bytes.readUInt32LE(GENERATION_AT),
    firstSequence: bytes.readDoubleLE(SEQUENCE_AT),
    marker: Buffer.from(bytes.subarray(MARKER_AT, MARKER_AT + MARKER_BYTES)),
  };
}
