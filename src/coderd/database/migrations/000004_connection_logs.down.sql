DROP TABLE connection_logs;
DROP TYPE connection_type;
