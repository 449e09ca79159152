import { describe, it } from 'vitest'
import { checkScenario } from '../support/scenario.ts'
import { scenarios as bLinkTree } from './b-link-tree.ts'
import { scenarios as chaseLevDeque } from './chase-lev-deque.ts'
import { scenarios as harrisList } from './harris-list.ts'
import { scenarios as locks } from './locks.ts'
import { scenarios as michaelScottQueue } from './michael-scott-queue.ts'
import { scenarios as permits } from './permits.ts'
import { scenarios as publication } from './publication.ts'
import { scenarios as ring } from './ring.ts'
import { scenarios as sealedChain } from './sealed-chain.ts'
import { scenarios as seqlock } from './seqlock.ts'
import { scenarios as treiberStack } from './treiber-stack.ts'

const all = [
  ...treiberStack,
  ...michaelScottQueue,
  ...harrisList,
  ...chaseLevDeque,
  ...ring,
  ...seqlock,
  ...locks,
  ...permits,
  ...publication,
  ...sealedChain,
  ...bLinkTree,
]

describe('structures from textbooks pass in every order', () => {
  for (const scenario of all) it(scenario.name, () => checkScenario(scenario))
})
