// What Grafana's own types say of a dashboard, for one that is written as JSON: an enum as its value.
import type { Dashboard, DataSourceRef, FieldConfigSource, Panel, RowPanel } from "@grafana/schema";
import type * as bars from "@grafana/schema/dist/esm/raw/composable/barchart/panelcfg/x/BarChartPanelCfg_types.gen";
import type * as stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as series from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

type Plain<T> =
  unknown extends T ? T
  : T extends string ? `${T}`
  : T extends number ? (`${number}` extends `${T}` ? number : `${T}` extends `${infer N extends number}` ? N : never)
  : T extends (infer Each)[] ? Plain<Each>[]
  : T extends object ? { [Name in keyof T]: Plain<T[Name]> }
  : T;

// Options of newer Grafanas than the one that the dashboard is for
type Since<T, Names extends PropertyKey> = Omit<T, Names> & Partial<Pick<T, Names & keyof T>>;

// What a panel asks PostgreSQL; Grafana's types leave it open
interface Query {
  refId: string;
  datasource: DataSourceRef;
  editorMode: "code";
  rawQuery: true;
  rawSql: string;
  format: "table" | "time_series";
}

// Grafana's types leave open what options a kind of panel has, too
interface Of<Type extends string, Options, Custom>
  extends Omit<Plain<Panel>, "type" | "title" | "options" | "fieldConfig" | "targets"> {
  type: Type;
  title: string;
  options: Plain<Options>;
  targets: Query[];
  fieldConfig: Omit<Plain<FieldConfigSource>, "defaults"> & {
    defaults: Omit<Plain<FieldConfigSource["defaults"]>, "custom"> & { custom: Plain<Custom> };
  };
}

type Shown =
  | Plain<RowPanel>
  | Of<"stat", Since<stat.Options, "percentChangeColorMode" | "showPercentChange">, Record<string, never>>
  | Of<"timeseries", series.Options, series.FieldConfig>
  | Of<"barchart", bars.Options, Partial<bars.FieldConfig>>
  | Of<"table", table.Options, Partial<table.FieldConfig>>;

// One that is written to be imported: what it needs, and what Grafana asks for
export interface Exported extends Omit<Plain<Dashboard>, "id" | "panels"> {
  id: null;
  panels: Shown[];
  __inputs: {
    name: string;
    label: string;
    description: string;
    type: "datasource";
    pluginId: string;
    pluginName: string;
  }[];
  __elements: Record<string, never>;
  __requires: { type: "grafana" | "datasource" | "panel"; id: string; name: string; version: string }[];
}
