import { HeddleError, type Store } from '../../../src/index.ts'
import { meet, workerMain } from '../worker-main.ts'

export interface Filled {
  /** How many entries this thread could set until the store was full. */
  readonly set: number
  readonly deleted: number
  /** How many it could set after all threads had deleted half of theirs. */
  readonly setAgain: number
}

const value = (number: number): string => `${number} `.repeat(20 + (number % 300))

workerMain<object, Filled>((store, { gate, thread }) => {
  const name = (number: number): string => `fill ${number} ${thread}`
  let set = 0
  while (trySet(store, name(set), value(set))) set++
  meet(gate, 2)
  let deleted = 0
  for (let number = 0; number < set; number += 2) if (store.delete(name(number))) deleted++
  meet(gate, 3)
  const wanted = Math.floor(deleted / 2)
  let setAgain = 0
  while (setAgain < wanted && setAtLast(store, name(setAgain * 2), value(setAgain * 2))) setAgain++
  for (let number = 0; number < set; number++) {
    const there = number % 2 === 1 || number < setAgain * 2
    if (store.get(name(number)) !== (there ? value(number) : undefined)) throw new Error(`${name(number)} is wrong`)
  }
  return { set, deleted, setAgain }
})

function trySet(store: Store<string, string>, key: string, text: string): boolean {
  try {
    store.set(key, text)
    return true
  } catch (error) {
    if (error instanceof HeddleError && error.code === 'HEDDLE_FULL') {
      if (store.has(key)) throw new Error(`${key} was refused and is there`, { cause: error })
      return false
    }
    throw error
  }
}

/** What others have just freed may have to wait until they have left their operations. */
function setAtLast(store: Store<string, string>, key: string, text: string): boolean {
  const never = new Int32Array(new SharedArrayBuffer(4))
  for (let attempt = 0; attempt < 200; attempt++) {
    if (trySet(store, key, text)) return true
    store.drain()
    Atomics.wait(never, 0, 0, 2)
  }
  return false
}
