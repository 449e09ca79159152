/** Dependencies between transactions, after Adya's direct serialization graph. */
export const WW = 1
export const WR = 2
export const RW = 4
/** One completed before the other was invoked. */
export const RT = 8

export type EdgeKind = typeof WW | typeof WR | typeof RW | typeof RT

export const edgeNames: Readonly<Record<EdgeKind, string>> = { [WW]: 'ww', [WR]: 'wr', [RW]: 'rw', [RT]: 'realtime' }

export interface Edge {
  readonly from: number
  readonly to: number
  readonly kind: EdgeKind
  readonly key?: string
  /** The version that was replaced, or read; undefined is the initial one. */
  readonly before?: number | undefined
  /** The version that replaced it. */
  readonly after?: number | undefined
}

/** A directed graph of numbered nodes, its edges sorted by where they begin. */
export class Graph {
  readonly nodes: number
  readonly edges: readonly Edge[]
  readonly targets: Int32Array
  readonly kinds: Uint8Array
  /** The edges that leave node n are `out` from `starts[n]` up to `starts[n + 1]`. */
  readonly starts: Int32Array
  readonly out: Int32Array
  /** The transaction that a node stands for. */
  readonly transaction: (node: number) => number

  constructor(nodes: number, edges: readonly Edge[], transaction = (node: number): number => node) {
    this.nodes = nodes
    this.transaction = transaction
    this.edges = edges
    this.targets = new Int32Array(edges.length)
    this.kinds = new Uint8Array(edges.length)
    this.starts = new Int32Array(nodes + 1)
    this.out = new Int32Array(edges.length)
    edges.forEach(({ from, to, kind }, i) => {
      this.targets[i] = to
      this.kinds[i] = kind
      this.starts[from + 1]++
    })
    for (let node = 0; node < nodes; node++) this.starts[node + 1] += this.starts[node]
    const next = this.starts.slice()
    edges.forEach(({ from }, i) => (this.out[next[from]++] = i))
  }
}
