/** Changes that a writer makes in order, such that what is there tells the last one, and whether any before it is missing. */

/** How much a writer's changes come to. */
export interface Extent {
  readonly keys: number
  /** Bytes of the longest value, above those of its number. */
  readonly bytes: number
}

/** Little, so that every key is changed all the time. */
export const LITTLE: Extent = { keys: 40, bytes: 50 }
/** 2.8 MB for two writers. */
export const MUCH: Extent = { keys: 700, bytes: 4000 }

/** The two writers that `programs/write-durably.ts` has. */
export const WRITERS = ['main', 'worker'] as const

const DELETES_EACH = 7

export const lastKey = (writer: string): string => `${writer} last`

export const keyOf = (writer: string, number: number, { keys }: Extent): string => `${writer} ${number % keys}`

/** The change of a number from 1 on; without a value it is a delete. */
export function changeAt(
  writer: string,
  number: number,
  extent: Extent = LITTLE,
): { key: string; value: string | undefined } {
  const filler = '.'.repeat((number * 7919) % extent.bytes)
  const value = number % DELETES_EACH === 0 ? undefined : `${number} ${filler}`
  return { key: keyOf(writer, number, extent), value }
}

/** What is wrong with a store in which a writer's last change is `last`, or ''. */
export function faultOf(
  get: (key: string) => string | undefined,
  writer: string,
  last: number,
  extent: Extent = LITTLE,
): string {
  for (let number = Math.max(1, last - extent.keys + 1); number <= last; number++) {
    const { key, value } = changeAt(writer, number, extent)
    const found = get(key)
    if (found !== value) return `${key} is ${found}, but change ${number} of ${last} made it ${value}`
  }
  return ''
}
