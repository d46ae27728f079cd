"""What `gradgan bench` does with its options: measure, print, and write if a folder is given."""

from ..bench.options import ApproximateBench, MetricsBench, PenaltiesBench, RanksBench, TrainBench


def run_bench(options: PenaltiesBench | TrainBench | RanksBench | ApproximateBench | MetricsBench) -> None:
    """Measure what the options say."""
    if isinstance(options, PenaltiesBench):
        from ..bench.penalties import penalties

        result = penalties(options)
    elif isinstance(options, TrainBench):
        from ..bench.train import train

        result = train(options)
    elif isinstance(options, MetricsBench):
        from ..bench.metrics import metrics

        result = metrics(options)
    elif isinstance(options, RanksBench):
        from ..bench.ranks import ranks

        result = ranks(options)
        if result is None:  # rank 0 shows it
            return
    else:
        from ..bench.approximate import approximate

        result = approximate(options)
    result.show()
    if options.out is not None:
        print(result.write(options.out))
        if isinstance(options, PenaltiesBench):
            from ..bench.picture import penalties_picture

            print(penalties_picture(result, options.out))
