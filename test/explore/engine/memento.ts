/**
 * What participants keep in private memory, put back to an earlier moment: then they can be made once, and be used again
 * in every execution, although their last one may have been stopped anywhere.
 */

type Fields = Record<string | number, unknown>

/** Longer arrays are scratch space, which is written before it is read. */
const LONGEST = 256

interface Moment {
  readonly owners: Fields[]
  readonly names: (string | number)[]
  readonly values: unknown[]
  readonly arrays: unknown[][]
  readonly lengths: number[]
  readonly views: Int32Array[]
  readonly contents: Int32Array[]
  readonly maps: Map<unknown, unknown>[]
  readonly entries: [unknown, unknown][][]
}

/**
 * Remembers the fields of every object that `root` leads to, shared memory apart. Which objects they are stays.
 * @returns what puts it all back. Objects are the same ones then; what was added to them since has gone.
 */
export function remember(root: object): () => void {
  const moment: Moment = {
    owners: [],
    names: [],
    values: [],
    arrays: [],
    lengths: [],
    views: [],
    contents: [],
    maps: [],
    entries: [],
  }
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
  moment.views.push(view)
  moment.contents.push(view.slice())
}

function noteObject(moment: Moment, object: object, open: object[]): void {
  if (object instanceof ArrayBuffer || object instanceof SharedArrayBuffer) return
  if (object instanceof Map) {
    moment.maps.push(object)
    moment.entries.push([...object])
  }
  if (Array.isArray(object)) {
    moment.arrays.push(object)
    moment.lengths.push(object.length)
  }
  const fields = object as Fields
  for (const name of Object.keys(fields)) {
    const value = fields[name]
    if (typeof value === 'object' && value !== null) open.push(value)
    else {
      moment.owners.push(fields)
      moment.names.push(name)
      moment.values.push(value)
    }
  }
}

function putBack({ owners, names, values, arrays, lengths, views, contents, maps, entries }: Moment): void {
  for (let i = 0; i < arrays.length; i++) arrays[i]!.length = lengths[i]!
  for (let i = 0; i < owners.length; i++) {
    // Most fields never change; reading is cheaper than writing.
    if (owners[i]![names[i]!] !== values[i]) owners[i]![names[i]!] = values[i]
  }
  for (let i = 0; i < views.length; i++) views[i]!.set(contents[i]!)
  for (let i = 0; i < maps.length; i++) {
    if (maps[i]!.size === 0 && entries[i]!.length === 0) continue
    maps[i]!.clear()
    for (const [key, value] of entries[i]!) maps[i]!.set(key, value)
  }
}
