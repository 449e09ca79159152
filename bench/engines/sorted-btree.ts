/** sorted-btree, in the thread that uses it. It keeps the object it is given, as a Map does. */
import { type Engine, type Key, NOTHING_DEFERRED, type Session, type Setting, importPackage } from './engine.ts'

interface Tree {
  get(key: Key): Buffer | undefined
  set(key: Key, value: Buffer): boolean
  delete(key: Key): boolean
  entries(lowest?: Key): IterableIterator<[Key, Buffer]>
  clear(): void
}

type TreeClass = new (entries: undefined, compare: (a: Key, b: Key) => number) => Tree

/** One comparison for each kind of key: the package's own looks at the types each time. */
function comparison(setting: Setting): (a: Key, b: Key) => number {
  if (setting.keys === 'number') return (a, b) => (a as number) - (b as number)
  if (setting.keys === 'binary') return (a, b) => Buffer.compare(a as Buffer, b as Buffer)
  return (a, b) => ((a as string) < (b as string) ? -1 : a === b ? 0 : 1)
}

class TreeSession implements Session<Buffer> {
  readonly deferred = NOTHING_DEFERRED
  readonly batch = 0
  entries = 0
  scannedBytes = 0
  private readonly tree: Tree

  constructor(tree: Tree) {
    this.tree = tree
  }

  prepare(value: Buffer): Buffer {
    return value
  }

  read(key: Key): number {
    const value = this.tree.get(key)
    return value === undefined ? 0 : value.length
  }

  readInto(key: Key, target: Buffer): number {
    const value = this.tree.get(key)
    if (value === undefined) return -1
    target.set(value)
    return value.length
  }

  set(key: Key, value: Buffer): void {
    this.tree.set(key, value)
  }

  delete(key: Key): void {
    this.tree.delete(key)
  }

  update(key: Key, value: Buffer): void {
    this.scannedBytes += this.tree.get(key)?.length ?? 0
    this.tree.set(key, value)
  }

  scan(from: Key | undefined, limit: number): void {
    let left = limit
    if (left <= 0) return
    for (const [, value] of this.tree.entries(from)) {
      this.entries++
      this.scannedBytes += value.length
      if (--left === 0) break
    }
  }

  lookup(key: Key): Buffer | undefined {
    return this.tree.get(key)
  }

  list(from: Key | undefined, limit: number): [Key, Buffer][] {
    const found: [Key, Buffer][] = []
    for (const entry of this.tree.entries(from)) {
      if (found.length === limit) break
      // The iterator hands out the same pair again.
      found.push([entry[0], entry[1]])
    }
    return found
  }

  close(): void {
    this.tree.clear()
  }
}

export async function create(): Promise<Engine> {
  const loaded = await importPackage<{ default: TreeClass | { default: TreeClass } }>('sorted-btree')
  const Tree = 'default' in loaded.default ? loaded.default.default : loaded.default
  return {
    open: () => ({ share: () => ({ data: null }), close: () => undefined }),
    attach: (_data, setting) => new TreeSession(new Tree(undefined, comparison(setting))),
  }
}
