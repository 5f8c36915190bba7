export { type MetricsEndpoint, type MetricsEndpointOptions, metricsEndpoint } from './metrics-endpoint.ts'
export { type PrometheusMeter, type PrometheusMeterOptions, prometheusMeter } from './prometheus-meter.ts'
