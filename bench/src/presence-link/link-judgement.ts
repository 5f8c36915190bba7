import { CALLS, CONCURRENCIES, type Wire } from './link-run.ts'
import { FIGURES, type FigureName, type LinkSeries, medianOf, seriesOf } from './presence-link-report.ts'

const BLANK = /\{\{([\w-]+) (\w+) (tcp|grpc|grpc\/tcp|tcp\/grpc)\}\}/g

/**
 * The judgement's words with the numbers of a run: `{{report clientCpu grpc/tcp}}` is how many times as much the one wire
 * took as the other, from the least to the most over all concurrencies; `{{report sent tcp}}` is the figure itself.
 * @throws RangeError for a call or a figure that is not measured
 */
export function filledJudgement(text: string, series: readonly LinkSeries[]): string {
  return text.replaceAll(BLANK, (_, call: string, figure: string, what: string) => {
    const [wire, other] = what.split('/') as [Wire, Wire?]
    const values = CONCURRENCIES.map(concurrency => {
      const value = median(series, wire, call, figure, concurrency)
      return other === undefined ? value : value / median(series, other, call, figure, concurrency)
    })
    return range(values, other === undefined ? 0 : 1)
  })
}

function median(
  series: readonly LinkSeries[],
  wire: Wire,
  call: string,
  figure: string,
  concurrency: number,
): number {
  const known = CALLS.find(one => one === call)
  if (known === undefined) throw new RangeError(`the judgement names ${call}, which is not measured`)
  if (!(figure in FIGURES)) throw new RangeError(`the judgement names ${figure}, which is no figure`)
  return medianOf(FIGURES[figure as FigureName], seriesOf(series, wire, known, concurrency))
}

function range(values: readonly number[], digits: number): string {
  const shown = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: digits })
  const [least, most] = [shown(Math.min(...values)), shown(Math.max(...values))]
  return least === most ? least : `${least} to ${most}`
}
