/**
 * Node's buffers over shared memory, with the methods that go straight to the native encoders. `buffer.write(s, at, n,
 * 'latin1')` ends there too, after parsing its arguments, which costs as much again.
 */
export interface RawBuffer extends Buffer {
  latin1Write(text: string, at: number, length: number): number
  utf8Write(text: string, at: number, length: number): number
  latin1Slice(from: number, to: number): string
  utf8Slice(from: number, to: number): string
}

/** A buffer over the whole of some memory. */
export function rawBuffer(memory: ArrayBufferLike): RawBuffer {
  return Buffer.from(memory as ArrayBuffer) as unknown as RawBuffer
}
