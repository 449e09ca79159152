import type { Edge, EdgeKind, Graph } from './graph.ts'

/** Steps along edges that are spent on finding a shorter cycle in one component once there is one, or on finding none. */
const STEPS = 2_000_000

/** A cycle that begins with an edge of one kind and goes on by edges of some kinds. */
export interface Sought {
  readonly first: EdgeKind
  /** The kind of the second edge, if it is to be a certain one. */
  readonly second?: EdgeKind
  readonly mask: number
}

/** Breadth-first searches for cycles in one graph. */
export class CycleSearch {
  readonly graph: Graph
  /** The search that has met a node last. */
  readonly #met: Int32Array
  /** The edge by which it was met. */
  readonly #by: Int32Array
  readonly #queue: Int32Array
  #search = 0
  #steps = 0

  constructor(graph: Graph) {
    this.graph = graph
    this.#met = new Int32Array(graph.nodes)
    this.#by = new Int32Array(graph.nodes)
    this.#queue = new Int32Array(graph.nodes)
  }

  /** The shortest cycle of a kind among the nodes of one component, as edges between transactions. */
  shortest(components: Int32Array, nodes: readonly number[], sought: Sought): Edge[] | undefined {
    const { starts, out, kinds, targets } = this.graph
    const component = components[nodes[0]!]!
    let best: number[] | undefined
    this.#steps = 0
    for (const from of nodes) {
      for (let at = starts[from]!; at < starts[from + 1]!; at++) {
        const edge = out[at]!
        if (kinds[edge] !== sought.first || components[targets[edge]!] !== component) continue
        if (this.#steps > STEPS) return this.#shown(best)
        const path = this.#back(edge, from, components, sought, best === undefined ? Infinity : best.length - 2)
        if (path !== undefined) best = [edge, ...path]
        if (best?.length === 2) return this.#shown(best)
      }
    }
    return this.#shown(best)
  }

  /** The shortest path from the end of an edge to its beginning, if there is one of at most so many edges. */
  #back(edge: number, goal: number, components: Int32Array, sought: Sought, most: number): number[] | undefined {
    const { starts, out, kinds, targets } = this.graph
    const begin = targets[edge]!
    const component = components[goal]!
    const search = ++this.#search
    this.#met[begin] = search
    this.#queue[0] = begin
    let [head, tail, depthEnd, depth] = [0, 1, 1, 0]
    while (head < tail && depth < most) {
      const node = this.#queue[head++]!
      const mask = node === begin ? (sought.second ?? sought.mask) : sought.mask
      for (let at = starts[node]!; at < starts[node + 1]!; at++) {
        const step = out[at]!
        this.#steps++
        const target = targets[step]!
        if ((kinds[step]! & mask) === 0 || components[target] !== component || this.#met[target] === search) continue
        this.#met[target] = search
        this.#by[target] = step
        if (target === goal) return this.#path(begin, goal)
        this.#queue[tail++] = target
      }
      if (head === depthEnd) {
        depthEnd = tail
        depth++
      }
    }
    return undefined
  }

  #path(begin: number, goal: number): number[] {
    const path: number[] = []
    for (let node = goal; node !== begin; node = this.graph.edges[path.at(-1)!]!.from) path.push(this.#by[node]!)
    return path.reverse()
  }

  #shown(path: readonly number[] | undefined): Edge[] | undefined {
    const { edges, transaction } = this.graph
    return path?.map((id) => {
      const edge = edges[id]!
      return { ...edge, from: transaction(edge.from), to: transaction(edge.to) }
    })
  }
}
