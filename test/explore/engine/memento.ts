/**
 * What participants keep in private memory, put back to an earlier moment: then they can be made once, and be used again
 * in every execution, although their last one may have been stopped anywhere.
 */

type Fields = Record<string, unknown>

/** Longer arrays are scratch space, which is written before it is read. */
const LONGEST = 256

/** A field that holds no object. */
interface Field {
  readonly owner: Fields
  readonly name: string
  readonly value: unknown
}

interface List {
  readonly list: unknown[]
  readonly length: number
}

interface Scratch {
  readonly view: Int32Array
  readonly contents: Int32Array
}

interface Table {
  readonly map: Map<unknown, unknown>
  readonly entries: readonly (readonly [unknown, unknown])[]
}

interface Moment {
  readonly fields: Field[]
  readonly lists: List[]
  readonly scratches: Scratch[]
  readonly tables: Table[]
}

/**
 * Remembers the fields of every object that `root` leads to, shared memory apart. Which objects they are stays.
 * @returns what puts it all back. Objects are the same ones then; what was added to them since has gone.
 */
export function remember(root: object): () => void {
  const moment: Moment = { fields: [], lists: [], scratches: [], tables: [] }
  const met = new Set<object>()
  const open: object[] = [root]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (met.has(next)) continue
    met.add(next)
    if (ArrayBuffer.isView(next)) noteView(moment, next)
    else noteObject(moment, next, open)
  }
  return () => putBack(moment)
}

function noteView(moment: Moment, view: ArrayBufferView): void {
  if (!(view instanceof Int32Array) || view.buffer instanceof SharedArrayBuffer || view.length > LONGEST) return
  moment.scratches.push({ view, contents: view.slice() })
}

function noteObject(moment: Moment, object: object, open: object[]): void {
  if (object instanceof ArrayBuffer || object instanceof SharedArrayBuffer) return
  if (object instanceof Map) moment.tables.push({ map: object, entries: [...object] })
  if (Array.isArray(object)) moment.lists.push({ list: object, length: object.length })
  const owner = object as Fields
  const isFixed = Object.isFrozen(object)
  for (const [name, value] of Object.entries(owner)) {
    if (typeof value === 'object' && value !== null) open.push(value)
    else if (!isFixed) moment.fields.push({ owner, name, value })
  }
}

/**
 * This runs before each execution. Most fields never change, and reading is cheaper than writing; they are read by
 * patterns, since an element read by its name would be a plain access, which the explorer looks into.
 */
function putBack({ fields, lists, scratches, tables }: Moment): void {
  for (const { list, length } of lists) if (list.length !== length) list.length = length
  for (const { owner, name, value } of fields) {
    const { [name]: present } = owner
    if (present !== value) owner[name] = value
  }
  for (const { view, contents } of scratches) view.set(contents)
  for (const { map, entries } of tables) {
    if (map.size === 0 && entries.length === 0) continue
    map.clear()
    for (const [key, value] of entries) map.set(key, value)
  }
}
