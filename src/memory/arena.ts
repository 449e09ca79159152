/**
 * The arena: one SharedArrayBuffer of a fixed reserved size in which everything shared lives.
 *
 * The buffer has its full length from the start, but the operating system commits a page of it only when the page is
 * first touched. It never grows: growable buffers and length-tracking views cost 35 to 60 times as much per access.
 *
 * An address is a word index into `words`; 0 is null. `bytes` sees the same memory for payloads, which are immutable
 * once published; no word that is ever changed by Atomics is written through it.
 */
import { HeddleError } from './error.ts'
import { ARENA_NAME, type Geometry, type Layout, placeRegions, readHeader, writeHeader } from './layout.ts'

export interface Arena {
  readonly buffer: SharedArrayBuffer
  readonly words: Int32Array
  readonly bytes: Uint8Array
  readonly layout: Layout
}

function view(buffer: SharedArrayBuffer, layout: Layout): Arena {
  return { buffer, words: new Int32Array(buffer), bytes: new Uint8Array(buffer), layout }
}

/**
 * Reserves an arena.
 * @param geometry sizes in words; checked by the caller
 * @throws HeddleError HEDDLE_INVALID_OPTION if the regions do not fit or the system refuses the reservation
 */
export function createArena(geometry: Geometry): Arena {
  const layout = placeRegions(geometry)
  let buffer: SharedArrayBuffer
  try {
    buffer = new SharedArrayBuffer(geometry.arenaWords * 4)
  } catch {
    throw new HeddleError(
      'HEDDLE_INVALID_OPTION',
      `memory: the system refused to reserve ${geometry.arenaWords * 4} bytes; ask for less, or close other stores first`,
    )
  }
  const arena = view(buffer, layout)
  writeHeader(arena.words, geometry)
  arena.words[ARENA_NAME] = (Math.random() * 2 ** 32) | 0
  return arena
}

/**
 * Views an arena that another thread created.
 * @throws HeddleError HEDDLE_BAD_HANDLE if the buffer holds none
 */
export function viewArena(buffer: SharedArrayBuffer): Arena {
  if (buffer.byteLength < 256 || buffer.byteLength % 4 !== 0) {
    throw new HeddleError('HEDDLE_BAD_HANDLE', 'the handle holds no heddle arena; pass on `store.handle` as it is')
  }
  return view(buffer, placeRegions(readHeader(new Int32Array(buffer))))
}
