/**
 * What a round works on: the keys of each game, and the values.
 *
 *     c/012           counters: everybody adds, nobody ever deletes; the last few are guarded by the tokens
 *     t/3             tokens: taken with setIfAbsent, given back with compareAndSet
 *     f/5             flips: set if absent, deleted if there; both sides are counted
 *     s/0123          shared keys: everybody writes, values describe themselves
 *     p/2/045...      private keys of one slot: only its worker writes, so every answer is known beforehand
 *     b/2/00017       the burst of one slot: fills the memory and is deleted again
 */
import { mix } from '../random.ts'

export const OPEN_COUNTERS = 64
export const TOKENS = 4
export const COUNTERS = OPEN_COUNTERS + TOKENS
export const FLIPS = 8
/** A tally for every counter; for every flip one of the times it was set, and one of those it was deleted. */
export const TALLIES = COUNTERS + 2 * FLIPS
export const PRIVATE_KEYS = 192

const SHARED_MANY = 512
const SHARED_FEW = 6
const COUNTERS_FEW = 3

export interface Plan {
  /** Tiny pages and little memory, or normal ones. */
  readonly tiny: boolean
  /** Few keys, so that workers collide at every turn, or many. */
  readonly few: boolean
}

export const openCounters = (plan: Plan): number => (plan.few ? COUNTERS_FEW : OPEN_COUNTERS)
export const sharedKeys = (plan: Plan): number => (plan.few ? SHARED_FEW : SHARED_MANY)

export const COUNTER_PREFIX = 'c/'
export const counterKey = (counter: number): string => COUNTER_PREFIX + padded(counter, 3)
export const guardedCounter = (token: number): number => OPEN_COUNTERS + token
export const tokenKey = (token: number): string => `t/${token}`
export const flipKey = (flip: number): string => `f/${flip}`
export const sharedKey = (key: number): string => `s/${padded(key, 4)}`
export const setTally = (flip: number): number => COUNTERS + flip
export const deleteTally = (flip: number): number => COUNTERS + FLIPS + flip
export const privatePrefix = (slot: number): string => `p/${slot}/`
export const burstPrefix = (slot: number): string => `b/${slot}/`
export const burstKey = (slot: number, key: number): string => burstPrefix(slot) + padded(key, 5)

/** Private keys sort like their indices. Some have long tails, some tails that are not ASCII. */
export function privateKey(slot: number, key: number): string {
  const tail = key % 31 === 3 ? 'k'.repeat(900) : key % 7 === 1 ? TAILS[key % TAILS.length].repeat(key % 20) : ''
  return privatePrefix(slot) + padded(key, 3) + tail
}

export function privateIndex(slot: number, key: string): number {
  const from = privatePrefix(slot).length
  return Number(key.slice(from, from + 3))
}

const TAILS = ['é', 'ß', '漢', '😀']
const FILLERS = ['a', 'Z', '0', 'é', '漢', '😀']

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0')
}

/**
 * The value that the worker of `slot` writes as its `sequence`th one under the key called `name`. It says all of this
 * itself, and its size and filling follow from it: a value that is torn, foreign or invented is found out.
 */
export function valueOf(name: string, slot: number, sequence: number, tiny: boolean): string {
  const dice = mix(mix(sequence) ^ (slot + 1))
  return `${name}|${slot}|${sequence}|${FILLERS[dice % FILLERS.length].repeat(fillOf(dice, tiny))}`
}

function fillOf(dice: number, tiny: boolean): number {
  const roll = dice % 1000
  const spread = dice >>> 8
  if (roll < 800) return spread % (tiny ? 48 : 200)
  if (roll < 970) return tiny ? 48 + (spread % 350) : 200 + (spread % 3800)
  if (roll < 997) return tiny ? 400 + (spread % 2600) : 4000 + (spread % 26_000)
  return tiny ? 6000 + (spread % 8000) : 100_000 + (spread % 200_000)
}

/** Who wrote a value, if it is one of `valueOf` for this name, whole and unaltered. */
export function writerOf(name: string, value: string, tiny: boolean): { slot: number; sequence: number } | undefined {
  const [, slot, sequence] = value
    .slice(0, name.length + 24)
    .split('|')
    .map(Number)
  if (!Number.isSafeInteger(slot) || !Number.isSafeInteger(sequence)) return undefined
  return value === valueOf(name, slot, sequence, tiny) ? { slot, sequence } : undefined
}

/** Enough to fill the memory of the tiny store more than once. */
export const BURST_KEYS = 1500
export const BURST_VALUE = 'burst '.repeat(2000)
