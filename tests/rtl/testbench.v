// Runs one product O = A x B (M x K by K x N) of int8 with int32 sums and prints one CSV row: cycles, edge counts, all of O.
// A(m, k) = (7 m + 3 k + m k) mod 17 - 8, B(k, n) = (5 k + 11 n + k n) mod 15 - 7.
module testbench;
    parameter R = 4, C = 4, OVERLAP = 0, M = 4, K = 4, N = 4;
    localparam ROW_FOLDS = (K + R - 1) / R, COLUMN_FOLDS = (N + C - 1) / C, FOLDS = ROW_FOLDS * COLUMN_FOLDS;

    reg clk = 0;
    reg signed [8*R-1:0] a;
    reg signed [8*C-1:0] tile;
    wire stream_valid, load_valid, busy, done;
    wire [31:0] stream_fold, stream_step, load_fold, load_step;
    wire [C-1:0] out_valid;
    wire [32*C-1:0] out;
    wire [31:0] tile_row = R - 1 - load_step;
    integer cycles = 0, left_reads = 0, top_reads = 0, bottom_writes = 0;
    integer taken [0:C-1];
    integer result [0:M*N-1];
    integer i, j, row, column, fold;

    sequencer #(.R(R), .STREAMED(M), .FOLDS(FOLDS), .OVERLAP(OVERLAP)) control (
        .clk(clk), .busy(busy), .stream_valid(stream_valid), .stream_fold(stream_fold), .stream_step(stream_step),
        .load_valid(load_valid), .load_fold(load_fold), .load_step(load_step), .done(done));
    array #(.R(R), .C(C), .OVERLAP(OVERLAP)) cells (
        .clk(clk), .a_valid(stream_valid), .a_first(stream_step == 0), .a(a),
        .tile_valid(load_valid), .tile_row(tile_row[15:0]), .tile(tile), .out_valid(out_valid), .out(out), .busy(busy));

    // Memories in front of the edges; lanes beyond the product read nothing.
    always @* begin
        a = 0;
        tile = 0;
        for (i = 0; i < R; i = i + 1) begin
            row = (stream_fold % ROW_FOLDS) * R + i;
            if (stream_valid && row < K) a[8*i +: 8] = (7*stream_step + 3*row + stream_step*row) % 17 - 8;
        end
        for (j = 0; j < C; j = j + 1) begin
            row = (load_fold % ROW_FOLDS) * R + tile_row;
            column = (load_fold / ROW_FOLDS) * C + j;
            if (load_valid && row < K && column < N) tile[8*j +: 8] = (5*row + 11*column + row*column) % 15 - 7;
        end
    end

    // Accumulators behind the bottom edge: a column gives M sums a fold, in order.
    task collect;
        for (j = 0; j < C; j = j + 1) if (out_valid[j]) begin
            fold = taken[j] / M;
            row = taken[j] % M;
            column = (fold / ROW_FOLDS) * C + j;
            taken[j] = taken[j] + 1;
            if (column < N) begin
                bottom_writes = bottom_writes + 1;
                result[row*N + column] = (fold % ROW_FOLDS == 0 ? 0 : result[row*N + column]) + $signed(out[32*j +: 32]);
            end
        end
    endtask

    task count_reads;
        begin
            for (i = 0; i < R; i = i + 1)
                if (stream_valid && (stream_fold % ROW_FOLDS) * R + i < K) left_reads = left_reads + 1;
            for (j = 0; j < C; j = j + 1)
                if (load_valid && (load_fold % ROW_FOLDS) * R + tile_row < K && (load_fold / ROW_FOLDS) * C + j < N) top_reads = top_reads + 1;
        end
    endtask

    initial begin
        for (j = 0; j < C; j = j + 1) taken[j] = 0;
        #1;
        while (!done) begin
            count_reads;
            #1 clk = 1; // the end of a cycle: registers take their values
            #1 clk = 0;
            cycles = cycles + 1;
            collect;
        end
        $write("%0d,%0d,%0d,%0d,%0d,%0d,%0d,%0d,%0d,%0d,", R, C, OVERLAP, M, K, N, cycles, left_reads, top_reads, bottom_writes);
        for (i = 0; i < M*N; i = i + 1) $write("%0d%s", result[i], i == M*N - 1 ? "\n" : ";");
        $finish(0);
    end
endmodule
