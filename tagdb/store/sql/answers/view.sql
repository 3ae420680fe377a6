SELECT * FROM {view}
