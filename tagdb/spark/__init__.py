"""Computing factors on a Spark cluster, for collections that one machine's memory does not hold.

:mod:`~tagdb.spark.computing` is the use case, :mod:`~tagdb.spark.executors` what the executors do,
:mod:`~tagdb.spark.cluster` what there is to know of Spark.
"""
