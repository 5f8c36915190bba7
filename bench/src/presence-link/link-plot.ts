import { CALLS, type Call, CONCURRENCIES, WIRE_TITLES, WIRES, type Wire } from './link-run.ts'
import { FIGURES, type Figure, type LinkSeries, medianOf, seriesOf } from './presence-link-report.ts'

const PANEL = { width: 300, height: 150, left: 60, top: 46, gapX: 40, gapY: 64 }
const BAR_HEIGHT = 16
const COLOURS: Readonly<Record<Wire, string>> = { tcp: '#2a6f97', grpc: '#e07a5f' }
const SHOWN: readonly Figure[] = [
  FIGURES.rate,
  FIGURES.p99,
  FIGURES.clientCpu,
  FIGURES.serverCpu,
  FIGURES.sent,
  FIGURES.received,
]

/** A picture of the medians, as SVG: one row for each figure, one column for each call. */
export function linkPlot(series: readonly LinkSeries[]): string {
  const width = CALLS.length * (PANEL.left + PANEL.width + PANEL.gapX) + PANEL.gapX
  const height = PANEL.top + SHOWN.length * (PANEL.height + PANEL.gapY)
  const panels = SHOWN.flatMap((figure, row) =>
    CALLS.map((call, column) => {
      const x = PANEL.gapX + PANEL.left + column * (PANEL.left + PANEL.width + PANEL.gapX)
      const y = PANEL.top + 20 + row * (PANEL.height + PANEL.gapY)
      return `<g transform="translate(${x} ${y})">${panel(series, figure, call)}</g>`
    }),
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    '<title>TCP against gRPC: medians of requests per second, p99, CPU time and bytes</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    legend(),
    ...panels,
    '</svg>\n',
  ].join('\n')
}

function legend(): string {
  return WIRES.map((wire, index) => {
    const x = PANEL.gapX + index * 230
    return `<rect x="${x}" y="14" width="12" height="12" fill="${COLOURS[wire]}"/><text x="${x + 18}" y="24">${WIRE_TITLES[wire]}</text>`
  }).join('')
}

function panel(series: readonly LinkSeries[], figure: Figure, call: Call): string {
  const bars = CONCURRENCIES.flatMap((concurrency, group) =>
    WIRES.map((wire, index) => ({
      wire,
      value: medianOf(figure, seriesOf(series, wire, call, concurrency)),
      y: group * (PANEL.height / CONCURRENCIES.length) + index * (BAR_HEIGHT + 1) + 8,
    })),
  )
  const greatest = Math.max(...bars.map(({ value }) => value))
  const drawn = bars.map(({ wire, value, y }) => {
    const length = greatest > 0 ? (value / greatest) * (PANEL.width - 60) : 0
    const text = value.toLocaleString('en', { maximumFractionDigits: figure.digits })
    return `<rect x="0" y="${y}" width="${length.toFixed(1)}" height="${BAR_HEIGHT}" fill="${COLOURS[wire]}"/><text x="${(length + 4).toFixed(1)}" y="${y + 12}">${text}</text>`
  })
  const groups = CONCURRENCIES.map((concurrency, group) => {
    const y = group * (PANEL.height / CONCURRENCIES.length) + BAR_HEIGHT + 13
    return `<text x="-8" y="${y}" text-anchor="end">${concurrency} at once</text>`
  })
  const title = `<text x="0" y="-4" font-weight="bold">${call}: ${figure.title}</text>`
  return [title, ...groups, ...drawn].join('')
}
