/**
 * Built-in functions that read or write many bytes of a view: watched by replacing them while an exploration runs, so
 * that they are seen wherever they are called from. They are plain accesses, and may tear.
 */
import { accessBytes } from './plain.ts'
import { memory } from './shared-memory.ts'

type Method = (this: unknown, ...args: unknown[]) => unknown
type Note = (view: ArrayBufferView & { length?: number }, args: readonly unknown[]) => void

interface Patch {
  readonly owner: object
  readonly name: PropertyKey
  readonly original: PropertyDescriptor
}

const patches: Patch[] = []

function isShared(view: unknown): view is ArrayBufferView & { length?: number } {
  return ArrayBuffer.isView(view) && view.buffer === memory.buffer
}

/** Replaces a method by one that notes its access first. */
function watch(owner: object, name: PropertyKey, note: Note): void {
  const original = Object.getOwnPropertyDescriptor(owner, name)
  if (original === undefined || typeof original.value !== 'function') return
  const method = original.value as Method
  const watched: Method = function (...args) {
    if (isShared(this)) note(this, args)
    return method.apply(this, args)
  }
  patches.push({ owner, name, original })
  Object.defineProperty(owner, name, { ...original, value: watched })
}

function widthOf(view: ArrayBufferView): number {
  return (view as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1
}

/** The elements from `start` up to `end`, as `slice` and its like take them: negative ones count from the end. */
function note(view: ArrayBufferView & { length?: number }, start: unknown, end: unknown, write: boolean): void {
  const width = widthOf(view)
  const length = view.byteLength / width
  const from = clamp(start === undefined ? 0 : Number(start), length)
  const to = clamp(end === undefined ? length : Number(end), length)
  accessBytes(view.byteOffset + from * width, view.byteOffset + to * width, write)
}

function clamp(index: number, length: number): number {
  const whole = Math.trunc(Number.isNaN(index) ? 0 : index)
  return whole < 0 ? Math.max(0, length + whole) : Math.min(whole, length)
}

const readsAll: Note = (view) => note(view, 0, undefined, false)
const readsRange: Note = (view, [start, end]) => note(view, start, end, false)
const changesAll: Note = (view) => {
  note(view, 0, undefined, false)
  note(view, 0, undefined, true)
}

function watchTypedArrays(): void {
  const owner = Object.getPrototypeOf(Int32Array.prototype) as object
  watch(owner, 'set', (view, [source, offset]) => {
    const from = source as ArrayLike<unknown>
    if (isShared(from)) note(from, 0, undefined, false)
    const start = Number(offset ?? 0)
    note(view, start, start + from.length, true)
  })
  watchSources(owner)
  watch(owner, 'slice', readsRange)
  watch(owner, 'fill', (view, [, start, end]) => note(view, start, end, true))
  watch(owner, 'copyWithin', (view, [target, start, end]) => {
    const length = view.byteLength / widthOf(view)
    const from = clamp(Number(start ?? 0), length)
    const to = clamp(end === undefined ? length : Number(end), length)
    const at = clamp(Number(target), length)
    const count = Math.min(to - from, length - at)
    note(view, from, from + count, false)
    note(view, at, at + count, true)
  })
  const reading = ['with', 'indexOf', 'lastIndexOf', 'includes', 'join', 'toSorted', 'toReversed', 'toString']
  for (const name of [...reading, 'toLocaleString', 'values', 'entries', Symbol.iterator]) watch(owner, name, readsAll)
  const visiting = ['forEach', 'map', 'filter', 'reduce', 'reduceRight', 'some', 'every', 'find', 'findIndex']
  for (const name of [...visiting, 'findLast', 'findLastIndex']) watch(owner, name, readsAll)
  for (const name of ['sort', 'reverse']) watch(owner, name, changesAll)
  watch(owner, 'at', (view, [index]) => {
    const at = clamp(Number(index), view.byteLength / widthOf(view))
    note(view, at, at + 1, false)
  })
}

/** `privateView.set(sharedView)`: the receiver is not shared, the source is. */
function watchSources(owner: object): void {
  const outer = Object.getOwnPropertyDescriptor(owner, 'set')!.value as Method
  const watched: Method = function (...args) {
    if (!isShared(this) && isShared(args[0])) note(args[0], 0, undefined, false)
    return outer.apply(this, args)
  }
  Object.defineProperty(owner, 'set', { ...Object.getOwnPropertyDescriptor(owner, 'set')!, value: watched })
}

function watchDataViews(): void {
  for (const name of Object.getOwnPropertyNames(DataView.prototype)) {
    const bits = /^[gs]et\D+(\d+)$/.exec(name)?.[1]
    if (bits === undefined) continue
    const write = name.startsWith('s')
    watch(DataView.prototype, name, (view, [offset]) => {
      const start = view.byteOffset + Number(offset)
      accessBytes(start, Math.min(start + Number(bits) / 8, view.byteOffset + view.byteLength), write)
    })
  }
}

function watchBuffers(): void {
  const owner = Buffer.prototype as object
  for (const name of Object.getOwnPropertyNames(owner)) {
    if (/^read(Big|U?[Ii]nt|Float|Double)/.test(name)) watch(owner, name, readsFrom(name))
    else if (/^write(Big|U?[Ii]nt|Float|Double)/.test(name)) watch(owner, name, writesFrom(name))
    else if (/Slice$/.test(name)) watch(owner, name, readsRange)
    else if (/Write$/.test(name)) watch(owner, name, writesText(name.slice(0, -'Write'.length)))
  }
  watch(owner, 'fill', (view) => note(view, 0, undefined, true))
  watch(owner, 'write', writes)
  for (const name of ['toString', 'toJSON', 'indexOf', 'lastIndexOf', 'includes']) watch(owner, name, readsAll)
  for (const name of ['equals', 'compare']) {
    watch(owner, name, (view, [other]) => {
      note(view, 0, undefined, false)
      if (isShared(other)) note(other, 0, undefined, false)
    })
  }
  watch(owner, 'copy', (view, [target, at, start, end]) => {
    note(view, start, end, false)
    if (isShared(target)) note(target, at, undefined, true)
  })
}

/** `write(text, offset?, length?, encoding?)`, where the encoding may follow at once. */
const writes: Note = (view, [text, ...rest]) => {
  const encoding = rest.find((one) => typeof one === 'string') ?? 'utf8'
  const [offset, length] = rest.filter((one) => typeof one === 'number')
  writesText(encoding)(view, [text, offset, length])
}

/** `latin1Write` and its like, by which `write` does its work in some versions of Node. */
function writesText(encoding: string): Note {
  return (view, [text, offset, length]) => {
    const start = Number(offset ?? 0)
    const bytes = Buffer.byteLength(String(text), encoding as BufferEncoding)
    note(view, start, start + Math.min(Number(length ?? Infinity), bytes), true)
  }
}

function sizeInName(name: string): number {
  const bits = /\d+/.exec(name)?.[0]
  if (bits !== undefined) return Number(bits) / 8
  return name.includes('Float') ? 4 : name.includes('Double') ? 8 : 6
}

function readsFrom(name: string): Note {
  return (view, [offset]) => note(view, Number(offset ?? 0), Number(offset ?? 0) + sizeInName(name), false)
}

function writesFrom(name: string): Note {
  return (view, [, offset]) => note(view, Number(offset ?? 0), Number(offset ?? 0) + sizeInName(name), true)
}

/** The views that a function is given. */
function watchArgument(owner: object, name: string, at: number, write: boolean): void {
  const original = Object.getOwnPropertyDescriptor(owner, name)
  if (original === undefined) return
  const method = original.value as Method
  const watched: Method = function (...args) {
    if (isShared(args[at])) note(args[at], 0, undefined, write)
    return method.apply(this, args)
  }
  patches.push({ owner, name, original })
  Object.defineProperty(owner, name, { ...original, value: watched })
}

export function watchBulk(): void {
  watchTypedArrays()
  watchDataViews()
  watchBuffers()
  watchArgument(TextDecoder.prototype, 'decode', 0, false)
  watchArgument(TextEncoder.prototype, 'encodeInto', 1, true)
}

/** Puts the built-in functions back. */
export function unwatchBulk(): void {
  for (const { owner, name, original } of patches.reverse()) Object.defineProperty(owner, name, original)
  patches.length = 0
}
