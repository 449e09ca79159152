/**
 * Cycles of dependencies, the shortest of each kind in each strongly connected component. That there is none where none
 * is found is certain for every kind of cycle that snapshot isolation forbids, taken together, and for all cycles taken
 * together; which of the names a large component deserves may remain open when the search for it grows too long.
 *
 * Snapshot isolation: a cycle without two anti-dependencies in a row is a cycle of the graph whose nodes also say whether
 * one has just come by an anti-dependency (Cerone and Gotsman, PODC 2016: (SO, WR, WW) ; RW? has no cycle).
 */
import type { CycleAnomaly, CycleName } from './anomaly.ts'
import { components, members } from './components.ts'
import { Graph, RT, RW, WR, WW, type Edge } from './graph.ts'
import { CycleSearch, type Sought } from './cycle-search.ts'

export interface Cycle {
  readonly name: CycleAnomaly
  readonly edges: readonly Edge[]
}

export function findCycles(nodes: number, edges: readonly Edge[]): Cycle[] {
  const cyclic = onCycles(new Graph(nodes, edges))
  if (cyclic.length === 0) return []
  const cycles: Cycle[] = []
  const timeless = onCycles(
    new Graph(
      nodes,
      cyclic.filter(({ kind }) => kind !== RT),
    ),
  )
  if (timeless.length > 0) searchAll(nodes, timeless, 0, cycles)
  if (cyclic.some(({ kind }) => kind === RT)) {
    const realtime: Cycle[] = []
    searchAll(nodes, cyclic, RT, realtime)
    // The others have been found already.
    for (const cycle of realtime) if (cycle.name.endsWith('-realtime')) cycles.push(cycle)
  }
  return cycles
}

/** The edges within strongly connected components: all that can be part of a cycle. */
function onCycles(graph: Graph): Edge[] {
  const found = components(graph, WW | WR | RW | RT)
  return graph.edges.filter(({ from, to }) => found[from]! >= 0 && found[from] === found[to])
}

/** All kinds of cycles, with the order of time or without it (0). */
function searchAll(nodes: number, edges: readonly Edge[], time: number, cycles: Cycle[]): void {
  const seen = new Set<string>()
  const add = (found: readonly Edge[] | undefined): boolean => {
    if (found === undefined) return false
    const cycle = { name: nameOf(found), edges: joinTimes(found) }
    const ids = cycle.edges.map(({ from }) => from).sort((a, b) => a - b)
    const sign = `${cycle.name} ${ids.join(' ')}`
    if (!seen.has(sign)) cycles.push(cycle)
    seen.add(sign)
    return true
  }
  const graph = new Graph(nodes, edges)
  const dependencies = WW | WR | time
  const all = dependencies | RW
  const each = (search: CycleSearch, mask: number, body: (find: (sought: Sought) => boolean) => void): void => {
    const found = components(search.graph, mask)
    for (const group of members(found)) body((sought) => add(search.shortest(found, group, sought)))
  }
  const plain = new CycleSearch(graph)
  each(plain, WW | time, (find) => find({ first: time === 0 ? WW : RT, mask: WW | time }))
  each(plain, dependencies, (find) => find({ first: WR, mask: dependencies }))
  each(new CycleSearch(splitByLastStep(nodes, edges)), all, (find) => {
    find({ first: RW, mask: dependencies })
    // Any further anti-dependency: the graph lets none of them follow another.
    find({ first: RW, mask: all })
  })
  each(plain, all, (find) => find({ first: RW, second: RW, mask: all }) || find({ first: RW, mask: all }))
}

/** Node n becomes 2n, reached by any other edge, and 2n + 1, reached by an anti-dependency, which no other may follow. */
function splitByLastStep(nodes: number, edges: readonly Edge[]): Graph {
  const split: Edge[] = []
  for (const edge of edges) {
    const to = 2 * edge.to + (edge.kind === RW ? 1 : 0)
    split.push({ ...edge, from: 2 * edge.from, to })
    if (edge.kind !== RW) split.push({ ...edge, from: 2 * edge.from + 1, to })
  }
  return new Graph(2 * nodes, split, (node) => node >> 1)
}

function nameOf(cycle: readonly Edge[]): CycleAnomaly {
  const has = (kind: number): boolean => cycle.some((edge) => edge.kind === kind)
  const antis = cycle.filter(({ kind }) => kind === RW).length
  const inARow = cycle.some(({ kind }, i) => kind === RW && cycle[(i + 1) % cycle.length]!.kind === RW)
  let name: CycleName = has(WR) ? 'G1c' : 'G0'
  if (antis === 1) name = 'G-single'
  if (antis > 1) name = inARow ? 'G2' : 'G-nonadjacent'
  return has(RT) ? `${name}-realtime` : name
}

/** What completed before something that completed before a third completed before that: one step instead of several. */
function joinTimes(cycle: readonly Edge[]): Edge[] {
  const first = cycle.findIndex(({ kind }) => kind !== RT)
  const joined: Edge[] = []
  for (const edge of [...cycle.slice(first), ...cycle.slice(0, first)]) {
    const last = joined.at(-1)
    if (last?.kind === RT && edge.kind === RT) joined[joined.length - 1] = { ...last, to: edge.to }
    else joined.push(edge)
  }
  return joined
}
