/** Files of operations: reading them, a block at a time, and what is wrong with those that cannot be. */
import { closeSync, openSync, readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'

/** Stands for no value where values are listed. */
export const NOT_FOUND = 'NOT_FOUND'

export interface Operation {
  readonly kind: 'PUT' | 'DELETE' | 'GET'
  /** In the file, from 1 on. */
  readonly line: number
  readonly key: string
  /** Of a PUT the value, of a GET the values that it may answer, as listed; of a DELETE ''. */
  readonly argument: string
}

/** A line that is no operation. */
export class ScriptError extends Error {
  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`)
    this.name = 'ScriptError'
  }
}

/**
 * The operation in a line, 'BARRIER', or undefined if the line is blank.
 * @throws ScriptError
 */
export function parseLine(text: string, line: number): Operation | 'BARRIER' | undefined {
  const words = text.trim().split(/\s+/)
  const [kind, key, argument] = words
  if (words.length === 1 && kind === '') return undefined
  if (kind === 'BARRIER' && words.length === 1) return 'BARRIER'
  if (kind === 'DELETE' && words.length === 2) return { kind, line, key, argument: '' }
  if (kind === 'GET' && words.length === 3) return { kind, line, key, argument }
  if (kind === 'PUT' && words.length === 3) {
    if (argument === NOT_FOUND || argument.includes(',')) throw new ScriptError(line, `'${argument}' cannot be a value`)
    return { kind, line, key, argument }
  }
  throw new ScriptError(line, `expected PUT key value, DELETE key, GET key values or BARRIER, not '${text.trim()}'`)
}

/** Blocks of operations out of lines, one after the other. */
export function* blocksOf(lines: Iterable<string>): Generator<Operation[]> {
  let block: Operation[] = []
  let number = 0
  for (const text of lines) {
    const operation = parseLine(text, ++number)
    if (operation === undefined) continue
    if (operation !== 'BARRIER') block.push(operation)
    else if (block.length > 0) {
      yield block
      block = []
    }
  }
  if (block.length > 0) yield block
}

const PIECE_BYTES = 1 << 16

/** The lines of a file, which may be larger than memory. */
export function* linesOf(path: string): Generator<string> {
  const file = openSync(path, 'r')
  try {
    const piece = Buffer.alloc(PIECE_BYTES)
    const decoder = new StringDecoder('utf8')
    let rest = ''
    for (let count = readSync(file, piece); count > 0; count = readSync(file, piece)) {
      const lines = (rest + decoder.write(piece.subarray(0, count))).split('\n')
      rest = lines.pop()!
      yield* lines
    }
    rest += decoder.end()
    if (rest !== '') yield rest
  } finally {
    closeSync(file)
  }
}
