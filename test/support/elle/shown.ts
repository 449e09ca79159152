import type { Transaction } from './transaction.ts'

const longestList = 12

/** A value as a message shows it; of a long list, only the end. */
export function shownValue(value: number | readonly number[] | undefined): string {
  if (value === undefined) return 'absent'
  if (typeof value === 'number') return String(value)
  if (value.length <= longestList) return `[${value.join(' ')}]`
  return `[${value.length - longestList} more, ${value.slice(-longestList).join(' ')}]`
}

export function shownTransaction({ process, status, operations }: Transaction, id: number): string {
  const steps = operations.map(({ name, key, value }) => {
    const kind = name === 'list' ? 'read' : name
    return kind === 'read' ? `${kind} ${key} = ${shownValue(value)}` : `${kind} ${key} ${shownValue(value)}`
  })
  return `T${id} (process ${process}, ${status}): ${steps.join(', ')}`
}
