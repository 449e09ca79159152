/**
 * Keys by their number. Random order: the order of the numbers has nothing to do with the order of the keys. Sequential:
 * it is the same. Each call gives a fresh flat string (or buffer), so an array of them lies in memory as it was filled.
 */
import type { Key, KeyKind } from '../engines/engine.ts'
import { Random, scramble } from './random.ts'
import { packageUrls } from './urls.ts'

const STRING_BYTES = 16
const MOST_BINARY_BYTES = 200
const LEAST_BINARY_BYTES = 8

export type KeyMaker = (index: number) => Key

const scratch = Buffer.allocUnsafe(1024)

/** 16 letters; two halves that are each a bijection of the index (of 32 bits). */
function randomString(index: number): string {
  let high = scramble(index)
  let low = scramble(index ^ 0x5bd1e995)
  for (let c = 0; c < 8; c++) {
    scratch[c] = 97 + (high & 15)
    scratch[c + 8] = 97 + (low & 15)
    high >>>= 4
    low >>>= 4
  }
  return scratch.toString('latin1', 0, STRING_BYTES)
}

function sequentialString(index: number): string {
  let rest = index
  for (let c = STRING_BYTES - 1; c >= 0; c--) {
    scratch[c] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
  return scratch.toString('latin1', 0, STRING_BYTES)
}

/** Random bytes, 8 to 200 of them; the first four tell the index, so that no two are the same. */
function binary(index: number, first: number): Buffer {
  const random = new Random(index + 1)
  const length = LEAST_BINARY_BYTES + random.below(MOST_BINARY_BYTES - LEAST_BINARY_BYTES + 1)
  const bytes = Buffer.allocUnsafe(length)
  bytes.writeUInt32BE(first, 0)
  for (let at = 4; at < length; at++) bytes[at] = random.below(256)
  return bytes
}

/** A text concatenated from parts is a tree of strings; this makes it flat. */
function flat(text: string): string {
  const length = scratch.write(text, 0, 'latin1')
  return scratch.toString('latin1', 0, length)
}

function urlMaker(sequential: boolean): KeyMaker {
  const urls = packageUrls()
  const { length } = urls
  if (sequential) {
    // All numbers of one URL follow each other; six digits keep them in order.
    const runs = 1000
    return (index) => {
      const round = Math.floor(index / (length * runs))
      const at = Math.floor(index / runs) % length
      return flat(`${urls[at]}?v=${String(round * runs + (index % runs)).padStart(6, '0')}`)
    }
  }
  return (index) => flat(`${urls[scramble(index) % length]}?v=${String(index).padStart(6, '0')}`)
}

export function keyMaker(kind: KeyKind, sequential: boolean): KeyMaker {
  if (kind === 'string') return sequential ? sequentialString : randomString
  if (kind === 'number') return sequential ? (index) => index : scramble
  if (kind === 'url') return urlMaker(sequential)
  return sequential ? (index) => binary(index, index) : (index) => binary(index, scramble(index))
}

/** The longest key of a kind. */
export function keyBytesOf(kind: KeyKind): number {
  if (kind === 'string') return STRING_BYTES
  if (kind === 'number') return 8
  if (kind === 'binary') return MOST_BINARY_BYTES
  let longest = 0
  for (const url of packageUrls()) longest = Math.max(longest, url.length)
  return longest + 12
}
