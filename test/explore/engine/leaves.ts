/** One leaf: links, overwrites and removals of its words, against each other and against its consolidation. */
import { bothOf, scenarioOf, type Rehearsable } from './play.ts'
import { compareAndSet, get, increase, remove, set, setIfAbsent } from './points.ts'
import { same, treePlay } from './trees.ts'

/** A leaf with room for so many more keys in slots. */
const slots = (leafSlots: number) => ({ leafSlots, leafEntries: 4 })

const plays = [
  treePlay({
    name: 'leaf: two insert two keys into the same slot',
    past: { pairs: [], over: slots(2) },
    threads: [(e) => set(e, 'a', '1'), (e) => set(e, 'b', '2')],
    rest: { does: { inserts: 2 } },
  }),
  treePlay({
    name: 'leaf: two insert the same key',
    past: { pairs: [], over: slots(2) },
    threads: [(e) => set(e, 'a', '1'), (e) => set(e, 'a', '2')],
    rest: { does: { inserts: 1 } },
  }),
  treePlay({
    name: 'leaf: two insert the same key, one gets it',
    past: { pairs: [], over: slots(2) },
    threads: [(e) => set(e, 'a', '1'), (e) => set(e, 'a', '2'), (e) => get(e, 'a')],
  }),
  treePlay({
    name: 'leaf: two set a key if it is absent',
    past: { pairs: [], over: slots(2) },
    threads: [(e) => setIfAbsent(e, 'a', '1'), (e) => setIfAbsent(e, 'a', '2')],
    rest: { does: { inserts: 1 } },
  }),
  treePlay({
    name: 'leaf: two swap the same value',
    past: { pairs: same('a'), over: slots(2) },
    threads: [(e) => compareAndSet(e, 'a', 'a', '1'), (e) => compareAndSet(e, 'a', 'a', '2')],
  }),
  treePlay({
    name: 'leaf: two swap a value there and back, one swaps it once',
    past: { pairs: same('a'), over: slots(2) },
    threads: [
      (e) => {
        compareAndSet(e, 'a', 'a', 'b')
        compareAndSet(e, 'a', 'b', 'a')
      },
      (e) => compareAndSet(e, 'a', 'a', 'c'),
    ],
  }),
  treePlay({
    name: 'leaf: one swaps absence, one deletes and one sets',
    past: { pairs: same('a'), over: slots(2) },
    threads: [(e) => compareAndSet(e, 'a', undefined, '1'), (e) => remove(e, 'a'), (e) => set(e, 'a', '2')],
  }),
  treePlay({
    name: 'leaf: two count up, one deletes',
    past: { pairs: [['a', '1']], over: slots(2) },
    threads: [(e) => increase(e, 'a'), (e) => increase(e, 'a'), (e) => remove(e, 'a')],
    rest: { does: { deletes: 1 } },
  }),
  treePlay({
    name: 'leaf: two delete the same key',
    past: { pairs: same('ab'), over: slots(2) },
    threads: [(e) => remove(e, 'a'), (e) => remove(e, 'a')],
    rest: { does: { deletes: 1 } },
  }),
  treePlay({
    name: 'leaf: one deletes and inserts again, two look',
    past: { pairs: same('a'), over: slots(2) },
    threads: [
      (e) => {
        remove(e, 'a')
        set(e, 'a', '1')
      },
      (e) => [get(e, 'a'), get(e, 'a')],
    ],
    rest: { does: { inserts: 1, deletes: 1 } },
  }),
  treePlay({
    name: 'leaf: one inserts into the last slot, one consolidates',
    past: { pairs: same('a'), over: slots(2) },
    threads: [
      (e) => set(e, 'b', '1'),
      (e) => {
        set(e, 'c', '2')
        set(e, 'd', '3')
      },
    ],
    rest: { does: { consolidations: 1, inserts: 3 } },
  }),
  treePlay({
    name: 'leaf: two consolidate',
    past: { pairs: same('a'), over: slots(1) },
    threads: [(e) => set(e, 'b', '1'), (e) => set(e, 'c', '2')],
    rest: { does: { consolidations: 2, inserts: 2 } },
  }),
  treePlay({
    name: 'leaf: one consolidates, one overwrites a key and gets it',
    past: { pairs: same('a'), over: slots(1) },
    threads: [
      (e) => set(e, 'b', '1'),
      (e) => {
        set(e, 'a', '2')
        get(e, 'a')
      },
    ],
    rest: { does: { consolidations: 1 } },
  }),
  treePlay({
    name: 'leaf: one consolidates, one deletes a key and looks for it',
    past: { pairs: same('ab'), over: slots(2) },
    threads: [
      (e) => set(e, 'c', '1'),
      (e) => {
        remove(e, 'a')
        get(e, 'a')
      },
    ],
    rest: { does: { consolidations: 1, deletes: 1 } },
  }),
  treePlay({
    name: 'leaf: one consolidates, one looks twice',
    past: { pairs: same('a'), over: slots(1) },
    threads: [(e) => set(e, 'b', '1'), (e) => [get(e, 'b'), get(e, 'a'), get(e, 'b')]],
    rest: { does: { consolidations: 1 } },
  }),
]

/** The dead one may have missed to account for a record in a segment that is still open when somebody drains. */
const drainedEarly = treePlay({
  name: 'leaf: two overwrite a key, a drain comes before the end of their segments',
  past: { pairs: same('a'), over: slots(2) },
  threads: [(e) => set(e, 'a', '1'), (e) => set(e, 'a', '2')],
  drainsEarly: true,
})

export const scenarios: Rehearsable[] = [...bothOf(plays), scenarioOf(drainedEarly, true)]
