/** What each isolation level permits and forbids, two transactions at a time, the second one in the midst of the first. */
import { describe, expect, it } from 'vitest'
import type { Isolation, TextTransaction, TransactionalStore } from '../../../src/cli/transactional-store.ts'
import { attach } from '../../../src/index.ts'
import { openStore } from '../../support/stores.ts'
import { soundViews, viewOf, type View } from '../../support/transactions/view.ts'

interface Two {
  readonly a: TransactionalStore
  readonly b: TransactionalStore
}

function withTwo(view: View, body: (two: Two) => void): void {
  const store = openStore()
  const other = attach<string, string>(store.handle)
  try {
    body({ a: viewOf(store, view), b: viewOf(other, view) })
  } finally {
    other.close()
    store.close()
  }
}

/** A transaction of `a`, during the first attempt of which something else happens. Gives the number of attempts. */
function interrupted(
  a: TransactionalStore,
  isolation: Isolation,
  read: Body,
  between: () => void,
  write: Body,
): number {
  let attempts = 0
  a.transaction(
    (tx) => {
      read(tx)
      if (attempts++ === 0) between()
      write(tx)
    },
    { isolation },
  )
  return attempts
}

type Body = (tx: TextTransaction) => void

function onCall(reads: Pick<TransactionalStore, 'values'>): number {
  return [...reads.values({ prefix: 'doctor/' })].filter((state) => state === 'on call').length
}

/** A doctor goes off call if another one stays. */
function leave(name: string): Body {
  return (tx) => {
    if (onCall(tx) > 1) tx.set(`doctor/${name}`, 'off')
  }
}

const levels: readonly Isolation[] = ['serializable', 'snapshot']
const cases = soundViews.flatMap((view) => levels.map((isolation) => ({ view, isolation })))

describe.each(cases)('$isolation transactions ($view)', ({ view, isolation }) => {
  it(`write skew: of two doctors on call ${isolation === 'snapshot' ? 'both' : 'only one'} can leave`, () => {
    withTwo(view, ({ a, b }) => {
      a.set('doctor/alice', 'on call')
      a.set('doctor/bob', 'on call')
      let seen = 0
      const attempts = interrupted(
        a,
        isolation,
        (tx) => (seen = onCall(tx)),
        () => b.transaction(leave('bob'), { isolation }),
        (tx) => {
          if (seen > 1) tx.set('doctor/alice', 'off')
        },
      )
      expect([attempts, onCall(a)]).toEqual(isolation === 'snapshot' ? [1, 0] : [2, 1])
    })
  })

  it(`a phantom: what came into a range after it was read is ${isolation === 'snapshot' ? 'over' : ''}looked at`, () => {
    withTwo(view, ({ a, b }) => {
      let count = 0
      const attempts = interrupted(
        a,
        isolation,
        (tx) => (count = [...tx.keys({ gte: 'm', lt: 'n' })].length),
        () => b.set('m5', 'new'),
        (tx) => tx.set('count', String(count)),
      )
      expect([attempts, a.get('count')]).toEqual(isolation === 'snapshot' ? [1, '0'] : [2, '1'])
    })
  })

  it('a phantom that left a range', () => {
    withTwo(view, ({ a, b }) => {
      a.set('m5', 'old')
      let count = 0
      const attempts = interrupted(
        a,
        isolation,
        (tx) => (count = [...tx.entries({ prefix: 'm' })].length),
        () => b.delete('m5'),
        (tx) => tx.set('count', String(count)),
      )
      expect([attempts, a.get('count')]).toEqual(isolation === 'snapshot' ? [1, '1'] : [2, '0'])
    })
  })

  it('an absent key that was read and came', () => {
    withTwo(view, ({ a, b }) => {
      let there = false
      const attempts = interrupted(
        a,
        isolation,
        (tx) => (there = tx.has('x')),
        () => b.set('x', '1'),
        (tx) => tx.set('was there', String(there)),
      )
      expect([attempts, a.get('was there')]).toEqual(isolation === 'snapshot' ? [1, 'false'] : [2, 'true'])
    })
  })

  it('no update is lost', () => {
    withTwo(view, ({ a, b }) => {
      a.set('count', '5')
      let count = 0
      const add: Body = (tx) => tx.set('count', String(Number(tx.get('count')) + 1))
      const attempts = interrupted(
        a,
        isolation,
        (tx) => (count = Number(tx.get('count'))),
        () => b.transaction(add, { isolation }),
        (tx) => tx.set('count', String(count + 1)),
      )
      expect([attempts, a.get('count')]).toEqual([2, '7'])
    })
  })

  it('reads are of one moment', () => {
    withTwo(view, ({ a, b }) => {
      a.set('x', 'old')
      a.set('y', 'old')
      const seen: unknown[] = []
      a.transaction(
        (tx) => {
          seen.push(tx.get('x'))
          b.batch([
            { type: 'set', key: 'x', value: 'new' },
            { type: 'delete', key: 'y' },
            { type: 'set', key: 'z', value: 'new' },
          ])
          seen.push(tx.get('x'), tx.get('y'), tx.get('z'), [...tx.keys()])
        },
        { isolation },
      )
      expect(seen).toEqual(['old', 'old', 'old', undefined, ['x', 'y']])
      expect([...a.entries()]).toEqual([
        ['x', 'new'],
        ['z', 'new'],
      ])
    })
  })

  it('it reads its own writes, in ranges too, and nobody else does', () => {
    withTwo(view, ({ a, b }) => {
      for (const key of ['a', 'c', 'e']) a.set(key, 'old')
      a.transaction(
        (tx) => {
          tx.set('b', 'new')
          tx.set('c', 'new')
          tx.delete('e')
          expect([tx.get('b'), tx.has('e'), tx.get('e')]).toEqual(['new', false, undefined])
          expect([...tx.entries({ gt: 'a' })].map(([key, value]) => `${key} ${value}`)).toEqual(['b new', 'c new'])
          expect([...tx.keys({ reverse: true, limit: 2 })]).toEqual(['c', 'b'])
          expect([...tx.values({ prefix: 'a' })]).toEqual(['old'])
          expect([...b.keys()]).toEqual(['a', 'c', 'e'])
        },
        { isolation },
      )
      expect([...b.keys()]).toEqual(['a', 'b', 'c'])
    })
  })

  it('a body that throws leaves nothing', () => {
    withTwo(view, ({ a, b }) => {
      const thrown = new Error('changed my mind')
      const body: Body = (tx) => {
        tx.set('x', '1')
        throw thrown
      }
      expect(() => a.transaction(body, { isolation })).toThrow(thrown)
      expect(b.has('x')).toBe(false)
      a.transaction((tx) => tx.set('x', '2'), { isolation })
      expect(b.get('x')).toBe('2')
    })
  })

  it('gives up after so many attempts', () => {
    withTwo(view, ({ a, b }) => {
      let attempts = 0
      const body: Body = (tx) => {
        b.set('x', String(++attempts))
        tx.set('x', `${tx.get('x')} mine`)
        // What was read first counts.
        b.set('x', String(attempts))
      }
      expect(() => a.transaction(body, { isolation, attempts: 3 })).toThrow(
        expect.objectContaining({ code: 'HEDDLE_CONFLICT' }),
      )
      expect([attempts, a.get('x')]).toEqual([3, '3'])
    })
  })

  it('refuses transactions and batches within itself', () => {
    withTwo(view, ({ a }) => {
      const nested = expect.objectContaining({ code: 'HEDDLE_NESTED' })
      a.transaction(() => expect(() => a.transaction(() => 0)).toThrow(nested), { isolation })
      a.transaction(() => expect(() => a.batch([{ type: 'delete', key: 'x' }])).toThrow(nested), { isolation })
    })
  })

  it('the result is that of the last attempt', () => {
    withTwo(view, ({ a, b }) => {
      let attempts = 0
      const body = (tx: TextTransaction): string => {
        const there = tx.get('x') ?? 'nothing'
        if (attempts++ === 0) b.set('x', 'something')
        tx.set('x', 'mine')
        return there
      }
      expect(a.transaction(body, { isolation })).toBe('something')
    })
  })
})

describe.each(soundViews)('snapshots and batches (%s)', (view) => {
  it('a snapshot stays as it was', () => {
    withTwo(view, ({ a, b }) => {
      for (const key of ['a', 'b', 'c']) a.set(key, 'old')
      const snapshot = a.snapshot()
      b.set('a', 'new')
      b.delete('b')
      b.set('d', 'new')
      expect([...snapshot.entries()].map(([key, value]) => key + value)).toEqual(['aold', 'bold', 'cold'])
      expect([snapshot.get('b'), snapshot.has('d'), snapshot.get('a')]).toEqual(['old', false, 'old'])
      expect([...snapshot.values({ reverse: true, limit: 1 })]).toEqual(['old'])
      snapshot.close()
      expect([...a.keys()]).toEqual(['a', 'c', 'd'])
    })
  })

  it('the last one of several writes to a key counts', () => {
    withTwo(view, ({ a, b }) => {
      a.batch([
        { type: 'set', key: 'x', value: '1' },
        { type: 'set', key: 'y', value: '1' },
        { type: 'set', key: 'x', value: '2' },
        { type: 'delete', key: 'y' },
      ])
      expect([...b.entries()]).toEqual([['x', '2']])
    })
  })

  it('the anomaly of a reader alone: three transactions, of which one only reads', () => {
    // Fekete, O'Neil and O'Neil, "A Read-Only Transaction Anomaly Under Snapshot Isolation", SIGMOD Record 2004.
    for (const isolation of levels) {
      withTwo(view, ({ a, b }) => {
        let [savings, seen] = [0, '']
        const attempts = interrupted(
          a,
          isolation,
          (tx) => (savings = Number(tx.get('savings') ?? 0) + Number(tx.get('checking') ?? 0)),
          () => {
            b.transaction((tx) => tx.set('savings', '20'), { isolation })
            seen = b.transaction((tx) => `${tx.get('checking') ?? 0} ${tx.get('savings')}`, { isolation })
          },
          (tx) => tx.set('checking', String(savings < 10 ? -11 : -10)),
        )
        expect(seen).toBe('0 20')
        expect([attempts, a.get('checking')]).toEqual(isolation === 'snapshot' ? [1, '-11'] : [2, '-10'])
      })
    }
  })
})
