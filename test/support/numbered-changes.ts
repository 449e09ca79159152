/** Changes that a writer makes in order, such that what is there tells the last one, and whether any before it is missing. */

const KEYS = 40
const DELETES_EACH = 7

export const lastKey = (writer: string): string => `${writer} last`

const keyOf = (writer: string, number: number): string => `${writer} ${number % KEYS}`

/** The change of a number from 1 on; without a value it is a delete. */
export function changeAt(writer: string, number: number): { key: string; value: string | undefined } {
  const value = number % DELETES_EACH === 0 ? undefined : `${number} ${'.'.repeat(number % 50)}`
  return { key: keyOf(writer, number), value }
}

/** What is wrong with a store in which a writer's last change is `last`, or ''. */
export function faultOf(get: (key: string) => string | undefined, writer: string, last: number): string {
  for (let number = Math.max(1, last - KEYS + 1); number <= last; number++) {
    const { key, value } = changeAt(writer, number)
    const found = get(key)
    if (found !== value) return `${key} is ${found}, but change ${number} of ${last} made it ${value}`
  }
  return ''
}
