/**
 * Entries as lines of JSON: {"key":"...","value":"..."}. Bytes that are UTF-8 are a string; any others are an object with
 * their base64, {"base64":"..."}.
 */
import { isUtf8 } from 'node:buffer'

/** Bytes as JSON shows them. */
export type ShownBytes = string | { readonly base64: string }

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const NEWLINE = 10

export function shown(bytes: Uint8Array): ShownBytes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return isUtf8(buffer) ? buffer.toString('utf8') : { base64: buffer.toString('base64') }
}

export function lineOf(key: Uint8Array, value: Uint8Array): string {
  return `{"key":${JSON.stringify(shown(key))},"value":${JSON.stringify(shown(value))}}\n`
}

/** A line that is no entry. */
export class LineError extends Error {
  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`)
    this.name = 'LineError'
  }
}

export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/**
 * The entry in a line.
 * @throws LineError
 */
export function parseLine(line: Buffer, number: number): Entry {
  if (!isUtf8(line)) throw new LineError(number, 'it is not UTF-8')
  let parsed: unknown
  try {
    parsed = JSON.parse(line.toString('utf8'))
  } catch {
    throw new LineError(number, `expected {"key":...,"value":...}, not '${shortened(line.toString('utf8'))}'`)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new LineError(number, `expected {"key":...,"value":...}, not '${shortened(line.toString('utf8'))}'`)
  }
  const { key, value, ...others } = parsed as Record<string, unknown>
  const unknown = Object.keys(others)[0]
  if (unknown !== undefined) throw new LineError(number, `'${unknown}' is neither key nor value`)
  return { key: bytesOf(key, 'key', number), value: bytesOf(value, 'value', number) }
}

function bytesOf(field: unknown, name: string, line: number): Uint8Array {
  if (typeof field === 'string') {
    if (field.isWellFormed()) return Buffer.from(field)
    throw new LineError(line, `the ${name} has a lone surrogate, which UTF-8 cannot express; give its bytes as base64`)
  }
  if (typeof field === 'object' && field !== null && 'base64' in field && Object.keys(field).length === 1) {
    const { base64 } = field
    if (typeof base64 === 'string' && BASE64.test(base64)) return Buffer.from(base64, 'base64')
    throw new LineError(line, `the ${name} is no base64`)
  }
  throw new LineError(line, `the ${name} must be a string or {"base64":"..."}`)
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`
}

/** Cuts pieces of a file into lines, without their ends. */
export class LineCutter {
  /** Lines that were begun. */
  number = 0
  private parts: Buffer[] = []

  /** @param take is given each line that is not blank, and its number, from 1 on */
  push(piece: Buffer, take: (line: Buffer, number: number) => void): void {
    let from = 0
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      this.parts.push(piece.subarray(from, end))
      from = end + 1
      this.end(take)
    }
    if (from < piece.length) this.parts.push(piece.subarray(from))
  }

  /** The last line may have no end. */
  end(take: (line: Buffer, number: number) => void): void {
    const line = this.parts.length === 1 ? this.parts[0] : Buffer.concat(this.parts)
    this.parts = []
    this.number++
    if (line.some((byte) => byte !== 32 && byte !== 9 && byte !== 13)) take(line, this.number)
  }
}
