import type { History, Operation, Status, Transaction } from './transaction.ts'

/**
 * Histories in short, for tests. A transaction is a line of operations: `x+1` appends 1 to x, `x=[1,2]` reads the list
 * x, `y:1` writes 1 to y, `y=1` reads it, `y=-` finds it absent. `aborted` or `unknown` may stand in front. They are all
 * at work at once, each in a process of its own.
 */
export function atOnce(...lines: string[]): History {
  return lines.map((line, i) => parse(line, i, i, lines.length + i))
}

/** Each completes before the next one is invoked, all in one process. */
export function inTurn(...lines: string[]): History {
  return lines.map((line, i) => parse(line, 0, 2 * i, 2 * i + 1))
}

function parse(line: string, process: number, invoked: number, completed: number): Transaction {
  const words = line.split(' ')
  const status: Status = words[0] === 'aborted' || words[0] === 'unknown' ? words[0] : 'ok'
  const operations = words.slice(status === 'ok' ? 0 : 1).map(parseOperation)
  return { process, status, invoked, completed: status === 'unknown' ? Infinity : completed, operations }
}

function parseOperation(word: string): Operation {
  const [, key, sign, rest] = /^(\w+)([+=:])(.*)$/.exec(word)!
  if (sign === '+') return { name: 'append', key: key!, value: Number(rest) }
  if (sign === ':') return { name: 'write', key: key!, value: Number(rest) }
  if (rest!.startsWith('[')) return { name: 'list', key: key!, value: JSON.parse(rest!) as number[] }
  return { name: 'read', key: key!, value: rest === '-' ? undefined : Number(rest) }
}
