import type { Graph } from './graph.ts'

/**
 * Strongly connected components of a graph, by the edges of the kinds in `mask` (Tarjan, 1972, without recursion).
 * Gives the component of each node; nodes that are on no cycle have -1. Self-loops are not looked at.
 */
export function components(graph: Graph, mask: number): Int32Array {
  const search = new Search(graph, mask)
  for (let node = 0; node < graph.nodes; node++) search.from(node)
  return search.found
}

/** The nodes of each component. */
export function members(found: Int32Array): number[][] {
  const groups: number[][] = []
  found.forEach((component, node) => {
    if (component >= 0) (groups[component] ??= []).push(node)
  })
  return groups
}

class Search {
  readonly found: Int32Array
  readonly #graph: Graph
  readonly #mask: number
  readonly #index: Int32Array
  readonly #low: Int32Array
  readonly #next: Int32Array
  readonly #open: Uint8Array
  readonly #stack: number[] = []
  #count = 0
  #components = 0

  constructor(graph: Graph, mask: number) {
    const { nodes } = graph
    this.#graph = graph
    this.#mask = mask
    this.found = new Int32Array(nodes).fill(-1)
    this.#index = new Int32Array(nodes)
    this.#low = new Int32Array(nodes)
    this.#next = graph.starts.slice(0, nodes)
    this.#open = new Uint8Array(nodes)
  }

  from(root: number): void {
    if (this.#index[root] !== 0) return
    const path = [root]
    this.#enter(root)
    while (path.length > 0) {
      const node = path[path.length - 1]!
      const child = this.#step(node)
      if (child >= 0) {
        path.push(child)
        this.#enter(child)
        continue
      }
      path.pop()
      const parent = path[path.length - 1]
      if (parent !== undefined) this.#low[parent] = Math.min(this.#low[parent]!, this.#low[node]!)
      if (this.#low[node] === this.#index[node]) this.#close(node)
    }
  }

  #enter(node: number): void {
    this.#index[node] = this.#low[node] = ++this.#count
    this.#open[node] = 1
    this.#stack.push(node)
  }

  /** The next node below that has not been seen, or -1. */
  #step(node: number): number {
    const { starts, out, targets, kinds } = this.#graph
    const end = starts[node + 1]!
    for (let at = this.#next[node]!; at < end; at++) {
      const edge = out[at]!
      if ((kinds[edge]! & this.#mask) === 0) continue
      const target = targets[edge]!
      if (this.#index[target] === 0) {
        this.#next[node] = at + 1
        return target
      }
      if (this.#open[target] === 1) this.#low[node] = Math.min(this.#low[node]!, this.#index[target]!)
    }
    this.#next[node] = end
    return -1
  }

  #close(root: number): void {
    const alone = this.#stack[this.#stack.length - 1] === root
    for (;;) {
      const node = this.#stack.pop()!
      this.#open[node] = 0
      if (!alone) this.found[node] = this.#components
      if (node === root) break
    }
    if (!alone) this.#components++
  }
}
