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

/** The view of shared memory seen last: most accesses are to the one before. */
let lastView: unknown

function isShared(view: unknown): view is View {
  if (view === lastView) return true
  if (!ArrayBuffer.isView(view) || (view as unknown as View).buffer !== memory.buffer) return false
  lastView = view
  return true
}

/** Views of one exploration are none of the next. */
export function forgetViews(): void {
  lastView = undefined
}

export function $rd(site: number, view: Indexed, index: number): unknown {
  if (inThread && (view === lastView || isShared(view))) access(view as unknown as View, index, 0, site)
  return view[index]
}

export function $wr<T>(site: number, view: Indexed, index: number, value: T): T {
  if (memory.buffer !== undefined) {
    if (isShared(view)) access(view, index, 1, site)
    if (inThread) markEffect(machine.current)
  }
  view[index] = value
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
