/**
 * Plain accesses to elements. They are no scheduling points: without a data race nobody can tell when they happen, and
 * with one the race itself is what is reported.
 */
import { markEffect } from './effects.ts'
import { memory } from './shared-memory.ts'
import { machine } from './machine.ts'
import { OUTSIDE, type View } from './pending.ts'
import { shadow } from './shadow.ts'
import { inThread } from './state.ts'

type Indexed = Record<number | string, unknown>

/** The place of the bulk call that is about to be made. */
export let bulkSite = -1

export function $at<T>(site: number, receiver: T): T {
  bulkSite = site
  return receiver
}

/** Notes a plain access to an element of a view of the shared memory. */
function access(view: View, index: number, write: number, site: number): void {
  const width = view.BYTES_PER_ELEMENT
  if (!(index >= 0 && index < view.length)) return
  const byte = view.byteOffset + index * width
  if (write !== 0) memory.current!.touch(byte >> 2, (width + 3) >> 2)
  const t = machine.current
  if (t === OUTSIDE) return
  if (machine.recorder !== undefined) machine.recorder.plain(byte, width, write !== 0, site)
  if (width === 4) shadow.plainWord(t, byte >> 2, write, site)
  else shadow.plainBytes(t, byte, byte + width, write, site)
}

/** Views of the shared memory, by kind the one seen last: most accesses are to the one before. */
let words: Int32Array | undefined
let firstWord = 0
let wordCount = 0
let octets: Uint8Array | undefined
/** Views of other memory: to ask a view for its buffer takes longer than all the rest. */
let foreign = new WeakSet<object>()

function isShared(view: unknown): view is View {
  if (view === words || view === octets) return true
  if (!ArrayBuffer.isView(view) || foreign.has(view)) return false
  if (view.buffer !== memory.buffer) {
    if (memory.buffer !== undefined) foreign.add(view)
    return false
  }
  if (view instanceof Int32Array) {
    words = view
    firstWord = view.byteOffset >> 2
    wordCount = view.length
  } else if (view instanceof Uint8Array) octets = view
  return true
}

/** Views of one exploration are none of the next. */
export function forgetViews(): void {
  words = octets = undefined
  foreign = new WeakSet()
}

/** The same as `access`, for an element of `words`. */
function accessWord(index: number, write: number, site: number): void {
  if (!(index >= 0 && index < wordCount)) return
  const word = firstWord + (index | 0)
  if (write !== 0) memory.current!.touchWord(word)
  const t = machine.current
  if (t === OUTSIDE) return
  if (machine.recorder !== undefined) machine.recorder.plain(word * 4, 4, write !== 0, site)
  shadow.plainWord(t, word, write, site)
}

/** The same as `access`, for the commonest views of bytes. */
function accessOctet(view: Uint8Array, index: number, write: number, site: number): void {
  if (!(index >= 0 && index < view.length)) return
  const byte = view.byteOffset + (index >>> 0)
  if (write !== 0) memory.current!.touchWord(byte >> 2)
  const t = machine.current
  if (t === OUTSIDE) return
  if (machine.recorder !== undefined) machine.recorder.plain(byte, 1, write !== 0, site)
  shadow.plainByte(t, byte, write, site)
}

// The elements of each kind of view are read and written at a place of their own, which then is fast.

export function $rd(site: number, view: Indexed, index: number): unknown {
  if ((view as unknown) === words) {
    if (inThread) accessWord(index, 0, site)
    return words![index]
  }
  if ((view as unknown) === octets) {
    if (inThread) accessOctet(octets!, index, 0, site)
    return octets![index]
  }
  return readOther(site, view, index)
}

function readOther(site: number, view: Indexed, index: number): unknown {
  if (inThread && isShared(view)) access(view, index, 0, site)
  if (view instanceof Int32Array) return view[index]
  if (view instanceof Uint8Array) return view[index]
  return view[index]
}

export function $wr<T>(site: number, view: Indexed, index: number, value: T): T {
  if ((view as unknown) === words) {
    accessWord(index, 1, site)
    if (inThread) markEffect(machine.current)
    words![index] = value as number
    return value
  }
  if ((view as unknown) === octets) {
    accessOctet(octets!, index, 1, site)
    if (inThread) markEffect(machine.current)
    octets![index] = value as number
    return value
  }
  return writeOther(site, view, index, value)
}

function writeOther<T>(site: number, view: Indexed, index: number, value: T): T {
  if (memory.buffer !== undefined) {
    if (isShared(view)) access(view, index, 1, site)
    if (inThread) markEffect(machine.current)
  }
  if (view instanceof Int32Array) view[index] = value as number
  else if (view instanceof Uint8Array) view[index] = value as number
  else view[index] = value
  return value
}

/** `view[index]++` and the like. */
export function $upd(site: number, view: Indexed, index: number, delta: 1 | -1, prefix: boolean): unknown {
  const old = $rd(site, view, index)
  const before = typeof old === 'bigint' ? old : Number(old)
  const after = typeof before === 'bigint' ? before + BigInt(delta) : before + delta
  $wr(site, view, index, after)
  return prefix ? after : before
}

/** An element as the target of a destructuring assignment. */
class Reference {
  private readonly site: number
  private readonly view: Indexed
  private readonly index: number

  constructor(site: number, view: Indexed, index: number) {
    this.site = site
    this.view = view
    this.index = index
  }

  get v(): unknown {
    return $rd(this.site, this.view, this.index)
  }

  set v(value: unknown) {
    $wr(this.site, this.view, this.index, value)
  }
}

export function $ref(site: number, view: Indexed, index: number): Reference {
  return new Reference(site, view, index)
}

/** Notes a plain access to a range of bytes, made by a built-in function. */
export function accessBytes(start: number, end: number, write: boolean): void {
  if (end <= start) return
  if (write) memory.current!.touch(start >> 2, ((end + 3) >> 2) - (start >> 2))
  const t = machine.current
  if (t === OUTSIDE) return
  if (write) markEffect(t)
  machine.recorder?.plain(start, end - start, write, bulkSite)
  shadow.plainBytes(t, start, end, write ? 1 : 0, bulkSite)
}
