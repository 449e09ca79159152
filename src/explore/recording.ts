/** An execution, written down to be shown: one column for each thread, with what was read and written. */
import { COMPARE_EXCHANGE, LOAD, STORE, nameOf } from './events.ts'
import type { HistoryOperation } from './linearizability.ts'
import { type Recorder, machine } from './machine.ts'
import type { View } from './pending.ts'
import { placeOf, textOf } from './sites.ts'
import { trace } from './trace.ts'

interface Line {
  readonly thread: number
  readonly text: string
  /** How many times in a row. */
  times: number
}

interface Access {
  readonly thread: number
  readonly byte: number
  readonly width: number
  readonly write: boolean
  readonly site: number
}

const COLUMN_WIDTH = 58

function show(value: unknown): string {
  if (typeof value === 'string') return value.length > 24 ? `'${value.slice(0, 24)}…'` : `'${value}'`
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? `[${value.map(show).join(', ')}]` : '{…}'
  return String(value)
}

function fileAndLine(site: number): string {
  const place = placeOf(site)
  return place.slice(Math.max(place.lastIndexOf('/'), place.lastIndexOf('\\')) + 1)
}

export class Recording implements Recorder {
  /** The last access of each kind by each thread to each place, to name the other side of a race. */
  private readonly accesses = new Map<string, Access>()
  private readonly lines: Line[] = []

  step(row: number, view: View | undefined, index: number, a: unknown, b: unknown, result: unknown): void {
    const op = trace.op[row]!
    if (trace.word[row]! < 0) return
    const site = trace.site[row]!
    const at = `[${index}]`
    const wrote = trace.write[row] !== 0
    let what: string
    if (op === LOAD) what = `${at} is ${show(result)}`
    else if (op === STORE) what = `${at} = ${show(a)}`
    else if (op === COMPARE_EXCHANGE) {
      what = wrote ? `${at} ${show(a)} -> ${show(b)}` : `${at} is ${show(result)}, not ${show(a)}`
    } else what = `${at} ${show(a)}, gives ${show(result)}`
    const width = view === undefined ? 4 : view.BYTES_PER_ELEMENT
    const byte = trace.word[row]! * 4
    this.note({ thread: trace.thread[row]!, byte, width: Math.max(4, width), write: wrote, site })
    this.add(trace.thread[row]!, `${fileAndLine(site)} ${nameOf(op)} ${what}`)
  }

  plain(byte: number, width: number, write: boolean, site: number): void {
    const thread = machine.current
    this.note({ thread, byte, width, write, site })
    this.add(thread, `${fileAndLine(site)} plain ${write ? 'write' : 'read'} ${textOf(site)}`)
  }

  private note(access: Access): void {
    const key = `${access.thread},${access.byte},${access.write}`
    this.accesses.delete(key)
    this.accesses.set(key, access)
  }

  called(operation: HistoryOperation): void {
    this.add(operation.thread, `call ${operation.name}(${operation.args.map(show).join(', ')})`)
  }

  returned(operation: HistoryOperation): void {
    const how = operation.threw === undefined ? show(operation.result) : `throws ${show(operation.threw)}`
    this.add(operation.thread, `return ${operation.name}: ${how}`)
  }

  died(thread: number): void {
    this.add(thread, 'stops for good')
  }

  private add(thread: number, text: string): void {
    const last = this.lines.at(-1)
    if (last?.thread === thread && last.text === text) last.times++
    else this.lines.push({ thread, text, times: 1 })
  }

  /** Where a thread last accessed a byte, other than by a read if `writes`. */
  placeOf(thread: number, byte: number, writes: boolean): string {
    const access = [...this.accesses.values()].findLast(
      (one) => one.thread === thread && byte >= one.byte && byte < one.byte + one.width && (one.write || !writes),
    )
    return access === undefined ? '' : placeOf(access.site)
  }

  /** The table of steps. */
  columns(): string {
    const threads = 1 + this.lines.reduce((most, { thread }) => Math.max(most, thread), 0)
    const head = Array.from({ length: threads }, (_, t) => `thread ${t}`.padEnd(COLUMN_WIDTH)).join(' ')
    const rows = this.lines.map(({ thread, text: once, times }, i) => {
      const text = times === 1 ? once : `${once} (${times} times)`
      const cell = text.length > COLUMN_WIDTH && thread < threads - 1 ? `${text.slice(0, COLUMN_WIDTH - 1)}…` : text
      return `${String(i + 1).padStart(5)}  ${' '.repeat(thread * (COLUMN_WIDTH + 1))}${cell}`
    })
    return [`       ${head}`.trimEnd(), ...rows].join('\n')
  }
}
