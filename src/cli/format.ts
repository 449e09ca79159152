/** Numbers, sizes and tables as the commands print them. Always the same, whatever the locale. */

/** `1234567` as `1,234,567`. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}

/** `1536` as `1.5 KiB`. */
export function bytes(value: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? grouped(value) : value.toFixed(1)} ${units[unit]}`
}

export function seconds(value: number): string {
  return value.toFixed(2)
}

/** `1 file`, `2 files`. */
export function counted(value: number, noun: string): string {
  return `${grouped(value)} ${noun}${value === 1 ? '' : 's'}`
}

/** Two columns, the second one aligned to the right. */
export function table(rows: readonly (readonly [string, string])[]): string[] {
  const left = Math.max(...rows.map((row) => row[0].length))
  const right = Math.max(...rows.map((row) => row[1].length))
  return rows.map(([name, value]) => `  ${name.padEnd(left)}  ${value.padStart(right)}`)
}
