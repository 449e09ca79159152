import type { TextStore } from '../text-store.ts'
import type { Control } from './control.ts'
import {
  counterKey,
  COUNTERS,
  deleteTally,
  flipKey,
  FLIPS,
  privateKey,
  PRIVATE_KEYS,
  setTally,
  sharedKey,
  tokenKey,
  TOKENS,
  writerOf,
  type Plan,
} from './plan.ts'
import { privateValue } from './private-range.ts'
import { shown } from './hands.ts'

/** Compares the whole store with what the workers say they have done. All of them are paused. */
export function checkModel(store: TextStore, control: Control, plan: Plan, violated: (text: string) => void): void {
  const left = new Map<string, string>()
  let last: string | undefined
  for (const [key, value] of store) {
    if (last !== undefined && key <= last) violated(`the store's entries are not sorted: ${shown(key)} follows ${last}`)
    last = key
    left.set(key, value)
  }
  if (store.size !== left.size) violated(`the size is ${store.size}, a scan gives ${left.size} entries`)
  /** Each key is taken out as it is checked, so that in the end only strangers are left. */
  const take = (key: string): string | undefined => {
    const value = left.get(key)
    left.delete(key)
    const read = store.get(key)
    if (read !== value) violated(`${shown(key)} is ${shown(value)} in a scan, but ${shown(read)} to get`)
    return value
  }
  checkCounters(control, take, violated)
  checkFlips(control, take, violated)
  for (let token = 0; token < TOKENS; token++) {
    const holder = take(tokenKey(token))
    if (holder !== undefined) violated(`token ${token} is held by ${holder}, though all were given back`)
  }
  for (const [index, slot] of control.slots.entries()) {
    for (let key = 0; key < PRIVATE_KEYS; key++) {
      const expected = privateValue(index, key, slot.privateState(key), plan.tiny)
      const value = take(privateKey(index, key))
      if (value !== expected) violated(`private key ${key} of slot ${index} is ${shown(value)}, not ${shown(expected)}`)
    }
  }
  for (const [key, value] of left) {
    const known = /^s\/\d{4}$/.test(key) && key === sharedKey(Number(key.slice(2)))
    if (!known) violated(`${shown(key)} is in the store, which nobody left there`)
    else if (writerOf(key, value, plan.tiny) === undefined) violated(`nobody wrote ${shown(value)} under ${key}`)
  }
}

type Take = (key: string) => string | undefined

function checkCounters(control: Control, take: Take, violated: (text: string) => void): void {
  for (let counter = 0; counter < COUNTERS; counter++) {
    const value = Number(take(counterKey(counter)) ?? '0')
    const least = control.done(counter)
    const most = control.intended(counter)
    // They differ by what killed workers were about to add.
    if (!(value >= least && value <= most)) {
      violated(`counter ${counter} is ${value} at the end, but the workers' sum is from ${least} to ${most}`)
    }
  }
}

function checkFlips(control: Control, take: Take, violated: (text: string) => void): void {
  for (let flip = 0; flip < FLIPS; flip++) {
    const there = take(flipKey(flip)) === undefined ? 0 : 1
    const least = control.done(setTally(flip)) - control.intended(deleteTally(flip))
    const most = control.intended(setTally(flip)) - control.done(deleteTally(flip))
    if (!(there >= least && there <= most)) {
      violated(`flip ${flip} was set ${least} to ${most} times more often than deleted, but ${there} are there`)
    }
  }
}
