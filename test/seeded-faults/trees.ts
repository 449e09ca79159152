/** B-link trees that lose sight of a page. */
import { set } from '../../src/explore/index.ts'
import { fails, type Scenario } from '../explore/support/scenario.ts'
import { BLinkTree, add, has, memory, scanAll, verify, type Place } from '../explore/textbook/b-link-tree.ts'

/** Links the sibling before there is a page under its id. */
class LateSiblingTree extends BLinkTree {
  override split(place: Place, keys: readonly number[]): boolean {
    const { page } = place
    const separator = keys[1]!
    const right = this.reserve()
    if (!this.replace(place, { ...page, keys: keys.slice(0, 1), high: separator, right })) return false
    this.fill(right, { ...page, keys: keys.slice(1) })
    this.post(place.id, separator, right)
    return true
  }
}

/** Hoists the root when it splits itself, and takes it to be hoisted when another page splits. */
class EarlySeparatorTree extends BLinkTree {
  override post(split: number, separator: number, child: number): void {
    if (split === 0) this.hoist(this.read(0))
    else while (!this.insertEntry(this.read(0), separator, child));
  }
}

/** Overwrites the root with what it has made of an older one. */
class LostSeparatorTree extends BLinkTree {
  override insertEntry(root: Place, separator: number, child: number): boolean {
    this.fill(root.id, this.withEntry(root.page, separator, child))
    return true
  }
}

/** Reads where a page leads to and what is in it one after the other, so that a split between the two takes keys away. */
class SkippingTree extends BLinkTree {
  override scan(): number[] {
    const found: number[] = []
    let { id } = this.leafOf(0)
    for (;;) {
      const { right } = this.read(id).page
      found.push(...this.read(id).page.keys)
      if (right === 0) return found
      id = right
    }
  }
}

export const scenarios: Scenario[] = [
  fails('a sibling published late', 'not-linearizable', 8, {
    memory,
    setup: (sab) => BLinkTree.format(new Int32Array(sab), [2, 4]),
    attach: (sab, thread) => new LateSiblingTree(new Int32Array(sab), thread),
    threads: [(tree) => void add(tree, 3), (tree) => void has(tree, 4)],
    linearizable: set([2, 4]),
  }),
  fails('a separator posted before the root is hoisted', 'assertion', 4, {
    memory,
    setup: (sab) => BLinkTree.format(new Int32Array(sab), [2, 4]),
    attach: (sab, thread) => new EarlySeparatorTree(new Int32Array(sab), thread),
    threads: [(tree) => void add(tree, 6), (tree) => void add(tree, 8)],
    after: verify,
  }),
  fails('a separator lost', 'assertion', 4, {
    memory,
    setup: (sab) => BLinkTree.format(new Int32Array(sab), [1, 3], [5, 7]),
    attach: (sab, thread) => new LostSeparatorTree(new Int32Array(sab), thread),
    threads: [(tree) => void add(tree, 2), (tree) => void add(tree, 6)],
    after: verify,
  }),
  fails('a scan that skips a key at a split', 'assertion', 8, {
    memory,
    setup: (sab) => BLinkTree.format(new Int32Array(sab), [1, 3], [5, 7]),
    attach: (sab, thread) => new SkippingTree(new Int32Array(sab), thread),
    threads: [(tree) => void tree.add(2), (tree) => scanAll(tree, 1, 3, 5, 7)],
  }),
]
