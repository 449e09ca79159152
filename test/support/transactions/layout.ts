/**
 * How lists and registers lie in a store. As values they are read and written by single keys; as rows by ranges, with
 * inserts and deletions, so that phantoms and half-deleted rows would show.
 */
import type { TextReads, TextTransaction } from '../../../src/cli/transactional-store.ts'

export type LayoutName = 'values' | 'rows'
export type Workload = 'lists' | 'registers'

export interface Layout {
  /** What is under a key: a list, or the value of a register as a list of at most one. */
  read(reads: TextReads, key: number): readonly number[]
  /** What is under the keys from one up to another, by one range. */
  readMany(reads: TextReads, from: number, to: number): (readonly number[])[]
  /** Appends, or writes. */
  write(tx: TextTransaction, key: number, value: number): void
}

const digits = 6

function padded(number: number): string {
  return String(number).padStart(digits, '0')
}

function parse(text: string | undefined): readonly number[] {
  return text === undefined ? [] : (JSON.parse(text) as number[])
}

function valuesLayout(workload: Workload): Layout {
  const name = (key: number): string => `${workload} ${padded(key)}`
  return {
    read: (reads, key) => parse(reads.get(name(key))),
    readMany(reads, from, to) {
      const found = new Map(reads.entries({ gte: name(from), lt: name(to) }))
      return Array.from({ length: to - from }, (_, i) => parse(found.get(name(from + i))))
    },
    write(tx, key, value) {
      const old = workload === 'lists' ? parse(tx.get(name(key))) : []
      tx.set(name(key), JSON.stringify([...old, value]))
    },
  }
}

/** The key of a value as it lies in a store, for a batch that writes without reading. */
export function registerEntry(key: number, value: number): { key: string; value: string } {
  return { key: `registers ${padded(key)}`, value: JSON.stringify([value]) }
}

/** A row for each element of a list; a register is one row, which moves with each write. */
function rowsLayout(workload: Workload): Layout {
  const prefix = (key: number): string => `row ${workload} ${padded(key)}/`
  const keyOf = (row: string): number => Number(row.split(' ')[2]!.slice(0, digits))
  const read = (reads: TextReads, key: number): number[] => Array.from(reads.values({ prefix: prefix(key) }), Number)
  return {
    read,
    readMany(reads, from, to) {
      const lists = Array.from({ length: to - from }, (): number[] => [])
      for (const [row, value] of reads.entries({ gte: prefix(from), lt: prefix(to) })) {
        lists[keyOf(row) - from]!.push(Number(value))
      }
      return lists
    },
    write(tx, key, value) {
      if (workload === 'lists') {
        const [last] = tx.keys({ prefix: prefix(key), reverse: true, limit: 1 })
        const next = last === undefined ? 0 : Number(last.slice(-digits)) + 1
        tx.set(prefix(key) + padded(next), String(value))
        return
      }
      for (const row of [...tx.keys({ prefix: prefix(key) })]) tx.delete(row)
      // Rows of their own do not conflict under snapshot isolation, where the register is still absent.
      tx.set(`guard ${padded(key)}`, String(value))
      tx.set(prefix(key) + String(value), String(value))
    },
  }
}

export function layoutOf(name: LayoutName, workload: Workload): Layout {
  return name === 'rows' ? rowsLayout(workload) : valuesLayout(workload)
}
