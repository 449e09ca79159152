import { describe, expect, it } from 'vitest'
import { checkScenario } from '../explore/support/scenario.ts'
import { scenarios as locks } from './locks.ts'
import { scenarios as publication } from './publication.ts'
import { scenarios as queues } from './queues.ts'
import { scenarios as reclamation } from './reclamation.ts'
import { scenarios as stacks } from './stacks.ts'
import { scenarios as trees } from './trees.ts'
import { scenarios as waiting } from './waiting.ts'
import { scenarios as words } from './words.ts'

const all = [...stacks, ...reclamation, ...publication, ...queues, ...locks, ...waiting, ...words, ...trees]

describe('seeded faults are found', () => {
  for (const scenario of all) it(scenario.name, () => checkScenario(scenario))

  it('there are enough of them, each a fault', () => {
    expect(all.length).toBeGreaterThan(25)
    expect(all.filter(({ expect: { kind } }) => kind === undefined)).toEqual([])
  })
})
