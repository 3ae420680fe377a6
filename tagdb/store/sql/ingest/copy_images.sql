COPY pg_temp.incoming_images FROM STDIN
